import type { TopicDeclaration } from '@millrace/schemas';
import type { Admin } from 'kafkajs';
import { type Log, silentLog } from '../log.js';
import { kafkaClient } from './kafka-client.js';
import { TOPIC, topicConfigEntries } from './topic-config-entries.js';
import { topicMetadata } from './topic-metadata.js';
import { suffices } from './topic-settings.js';

/** What `applyTopics` did, and what it left to a person. */
export interface AppliedTopics {
  readonly created: readonly string[];
  /** `topic: name=new (was old)` */
  readonly altered: readonly string[];
  /**
   * What no deploy step changes: more partitions would send keys elsewhere, so that events of one aggregate lose
   * their order; fewer, or another number of copies, Kafka itself does not do.
   */
  readonly differences: readonly string[];
}

/** Set on the topic itself, and not a default or a broker's setting. */
const DYNAMIC_TOPIC_CONFIG = 1;

/**
 * Makes the cluster's topics as declared: creates what is missing, and sets what differs in the configuration of the
 * others, keeping what else was set on them, and what was set to more than is needed. Running it again changes nothing.
 *
 * @throws Error when a declaration is not valid for the cluster, before anything is created
 */
export async function applyTopics(
  brokers: readonly string[],
  topics: readonly TopicDeclaration[],
  log: Log = silentLog,
): Promise<AppliedTopics> {
  const admin = kafkaClient({ brokers, clientId: 'millrace-topics', log }).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ name }) => !existing.has(name));
    await create(admin, missing);
    const present = topics.filter(({ name }) => existing.has(name));
    return {
      created: missing.map(({ name }) => name),
      altered: await alterConfigs(admin, present),
      differences: await compare(admin, present),
    };
  } finally {
    await admin.disconnect();
  }
}

async function create(admin: Admin, topics: readonly TopicDeclaration[]): Promise<void> {
  if (topics.length === 0) return;
  const request = topics.map(({ name, partitions, replicationFactor, config }) => ({
    topic: name,
    numPartitions: partitions,
    replicationFactor,
    configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
  }));
  try {
    await admin.createTopics({ topics: request, validateOnly: true, waitForLeaders: false });
    await admin.createTopics({ topics: request, waitForLeaders: false });
  } catch (error) {
    throw naming(error);
  }
  await topicMetadata(
    admin,
    topics.map(({ name }) => name),
  );
}

/** KafkaJS says only that there were errors; each of them knows its topic and why. */
function naming(error: unknown): unknown {
  const { errors } = error as { errors?: readonly (Error & { topic?: string })[] };
  if (!Array.isArray(errors)) return error;
  const told = errors.map(({ topic, message }) => `${topic}: ${message}`).join('; ');
  return new Error(`topics could not be made: ${told}`, { cause: error });
}

async function compare(admin: Admin, topics: readonly TopicDeclaration[]): Promise<string[]> {
  const described = await topicMetadata(
    admin,
    topics.map(({ name }) => name),
  );
  return topics.flatMap(({ name, partitions, replicationFactor }) => {
    const actual = described.find((topic) => topic.name === name)?.partitions ?? [];
    const copies = Math.min(...actual.map(({ replicas }) => replicas.length));
    return [
      ...(actual.length === partitions
        ? []
        : [`${name}: ${actual.length} partitions, declared ${partitions}`]),
      ...(copies === replicationFactor ? [] : [`${name}: ${copies} replicas, declared ${replicationFactor}`]),
    ];
  });
}

/** KafkaJS has no incremental change: what is not named in a change goes back to its default. */
async function alterConfigs(admin: Admin, topics: readonly TopicDeclaration[]): Promise<string[]> {
  if (topics.length === 0) return [];
  const configs = await topicConfigEntries(
    admin,
    topics.map(({ name }) => name),
  );
  const altered: string[] = [];
  for (const { name, config } of topics) {
    const entries = configs.get(name) ?? [];
    const current = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    const differing = Object.entries(config).filter(
      ([key, value]) => !suffices(key, current.get(key), value),
    );
    if (differing.length === 0) continue;
    const kept = entries
      .filter(({ configSource }) => Number(configSource) === DYNAMIC_TOPIC_CONFIG)
      .map(({ configName, configValue }) => [configName, configValue] as const);
    const merged = { ...config, ...Object.fromEntries(kept), ...Object.fromEntries(differing) };
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: TOPIC,
          name,
          configEntries: Object.entries(merged).map(([key, value]) => ({ name: key, value })),
        },
      ],
    });
    altered.push(...differing.map(([key, value]) => `${name}: ${key}=${value} (was ${current.get(key)})`));
  }
  return altered;
}
