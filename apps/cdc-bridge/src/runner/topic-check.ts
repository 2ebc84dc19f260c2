import { checkTopics, type Log } from '@millrace/messaging';
import type { NamedDatabases } from '../databases/named-databases.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import { topicsOfSource } from '../sources/change-topics.js';
import { sourcesOfPipelines } from '../sources/source.js';

/** A topic that the pipeline needs is missing, or keeps its records for too short a time. */
export class TopicUnfit extends Error {
  readonly code = 'TOPIC_UNFIT';
  readonly canRetry = true;

  constructor(faults: readonly string[]) {
    super(`${faults.join('; ')}: run prepare`);
  }
}

export interface TopicCheckParts {
  readonly brokers: readonly string[];
  readonly databases: NamedDatabases;
  readonly log: Log;
}

/**
 * Looks at the topics that a pipeline reads, one, of a pair those of both sides, and at those that their connectors need
 * beside: while one of these is missing, the connector runs and brings nothing.
 * @param keyless whether its table has no key
 * @throws TopicUnfit where one may lose what the pipeline still needs
 */
export async function checkTopicsOf(
  pipeline: Pipeline,
  { brokers, databases, log }: TopicCheckParts,
  keyless = false,
): Promise<void> {
  const declared = sourcesOfPipelines([pipeline]).flatMap((source) => {
    const path = source.kind === 'mongo' ? databases.mongo(source.name).db.databaseName : '';
    return topicsOfSource(source, path, keyless ? source.captured.map(({ name }) => name) : []);
  });
  const faults = await checkTopics({ brokers, clientId: 'cdc-bridge', log }, declared);
  if (faults.length > 0) throw new TopicUnfit(faults);
}
