import { deadLetterTopicOf, type TopicDeclaration } from '@millrace/schemas';
import {
  changeTopic,
  groupOf,
  heartbeatTopic,
  OWN_SCHEMA,
  SIGNALS_COLLECTION,
  SIGNALS_TABLE,
  WATERMARKS_COLLECTION,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import type { Source } from './source.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** How long the bridge, or a target, may be away before changes are lost and a new snapshot is needed. */
export const OUTAGE_MS = 7 * DAY_MS;
/** Of a change topic. More cannot be had later: keys would go elsewhere, and lose their order. */
export const CHANGE_PARTITIONS = 3;
/** One record holds both images of a row or document: twice MongoDB's 16 MB. */
export const LARGEST_RECORD_BYTES = 33 * 1_024 * 1_024;
/** Of what nobody reads later than at once. */
const PASSING_MS = DAY_MS;

/**
 * The topics of what is captured of a source, in its order.
 * @param path the database's own name, in which MongoDB's collections are; unused for Postgres
 * @param keyless tables without a key: their records, which no key brings to one partition, need order all the same
 * @throws Error where two tables would share a topic, whose name keeps only some characters apart
 */
function capturedTopics(source: Source, path: string, keyless: readonly string[] = []): TopicDeclaration[] {
  const topics = source.captured.map(({ name, delayMs }) =>
    topic(within(source, path, name), keyless.includes(name) ? 1 : CHANGE_PARTITIONS, delayMs + OUTAGE_MS),
  );
  for (const [i, { name }] of topics.entries()) {
    const other = topics.findIndex((each) => each.name === name);
    if (other < i) {
      const names = [other, i].map((n) => source.captured[n]?.name);
      throw new Error(`${names.join(' and ')} of ${source.name} would share the topic ${name}: rename one`);
    }
  }
  return topics;
}

/** Every topic that a source's connector writes to; see `capturedTopics`. */
export function topicsOfSource(
  source: Source,
  path: string,
  keyless: readonly string[] = [],
): TopicDeclaration[] {
  const [watermarks, signals] =
    source.kind === 'mongo'
      ? [WATERMARKS_COLLECTION, SIGNALS_COLLECTION]
      : [`${OWN_SCHEMA}.${WATERMARKS_TABLE}`, `${OWN_SCHEMA}.${SIGNALS_TABLE}`];
  return [
    ...capturedTopics(source, path, keyless),
    // They tell of a snapshot that was made while the bridge was away.
    topic(within(source, path, watermarks), 1, OUTAGE_MS),
    topic(within(source, path, signals), 1, PASSING_MS),
    topic(heartbeatTopic(source.name), 1, PASSING_MS),
  ];
}

/** The dead-letter topics of pipelines; of a pair's, only documents without a key end there. */
export function deadLetterTopics(pipelines: readonly Pipeline[]): TopicDeclaration[] {
  return pipelines.map(({ name }) => deadLetterTopicOf(groupOf(name), LARGEST_RECORD_BYTES));
}

function within({ kind, name: database }: Source, path: string, name: string): string {
  return changeTopic(database, kind === 'mongo' ? `${path}.${name}` : name);
}

function topic(name: string, partitions: number, retentionMs: number): TopicDeclaration {
  return {
    name,
    partitions,
    replicationFactor: 3,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(retentionMs),
      // Else a busy day would shorten it.
      'retention.bytes': '-1',
      'min.insync.replicas': '2',
      'max.message.bytes': String(LARGEST_RECORD_BYTES),
    },
  };
}

/** The registry's subjects of topics, whose schema is the database's and may change in any way. */
export function subjectsOf(topics: readonly TopicDeclaration[]): string[] {
  return topics.flatMap(({ name }) => [`${name}-key`, `${name}-value`]);
}
