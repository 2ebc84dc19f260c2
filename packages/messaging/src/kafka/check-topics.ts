import type { TopicDeclaration } from '@millrace/schemas';
import { type KafkaConnection, kafkaClient } from './kafka-client.js';
import { topicConfigEntries } from './topic-config-entries.js';
import { topicMetadata } from './topic-metadata.js';
import { isLowerBound, suffices } from './topic-settings.js';

/**
 * What keeps the cluster's topics from holding what their declarations promise: a topic that is missing, another
 * number of partitions, fewer copies, or a setting that differs; longer retention is none.
 * @returns a sentence for each fault; none where all is well
 * @throws KafkaJSError where no broker answers
 */
export async function checkTopics(
  connection: KafkaConnection,
  topics: readonly TopicDeclaration[],
): Promise<string[]> {
  const admin = kafkaClient(connection).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ name }) => !existing.has(name));
    const present = topics.filter(({ name }) => existing.has(name));
    const faults = missing.map(({ name }) => `the topic ${name} is missing`);
    if (present.length === 0) return faults;
    const names = present.map(({ name }) => name);
    const described = await topicMetadata(admin, names);
    const configs = await topicConfigEntries(admin, names);
    for (const declared of present) {
      const partitions = described.find(({ name }) => name === declared.name)?.partitions ?? [];
      const entries = configs.get(declared.name) ?? [];
      faults.push(
        ...topicFaults(declared, {
          partitions: partitions.length,
          replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
          config: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
        }),
      );
    }
    return faults;
  } finally {
    await admin.disconnect();
  }
}

/** A topic as the cluster has it. */
export interface ActualTopic {
  readonly partitions: number;
  /** Of the partition that has the fewest. */
  readonly replicas: number;
  readonly config: Readonly<Record<string, string>>;
}

export function topicFaults(declared: TopicDeclaration, actual: ActualTopic): string[] {
  const faults: string[] = [];
  const told = (what: string, is: number | string | undefined, wanted: number | string) =>
    faults.push(`the topic ${declared.name} has ${what} ${is ?? 'unset'}, and needs ${wanted}`);
  if (actual.partitions !== declared.partitions) told('partitions', actual.partitions, declared.partitions);
  if (actual.replicas < declared.replicationFactor)
    told('replicas', actual.replicas, declared.replicationFactor);
  for (const [name, wanted] of Object.entries(declared.config)) {
    const is = actual.config[name];
    if (suffices(name, is, wanted)) continue;
    told(name, is, isLowerBound(name) ? `at least ${wanted}` : wanted);
  }
  return faults;
}
