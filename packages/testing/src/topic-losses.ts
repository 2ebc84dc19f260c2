import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs';
import { eventually } from './eventually.js';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

const GONE_WITHIN_MS = 30_000;

/** Removes every record that a topic holds, as its retention would after a long time. */
export async function expireRecords(bootstrapServers: readonly string[], topic: string): Promise<void> {
  await asAdmin(bootstrapServers, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    const partitions = offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition, high }) => ({ partition, offset: high }));
    if (partitions.length > 0) await admin.deleteTopicRecords({ topic, partitions });
  });
}

/** Deletes a topic, as somebody might by mistake; resolves when it is gone. */
export async function deleteTopic(bootstrapServers: readonly string[], topic: string): Promise<void> {
  await asAdmin(bootstrapServers, async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await eventually(`${topic} to be gone`, GONE_WITHIN_MS, async () => {
      return !(await admin.listTopics()).includes(topic);
    });
  });
}

/**
 * Deletes topics that nobody needs any more, as well as can be: each costs its brokers a little for as long as it is
 * there.
 */
export async function deleteTopics(
  bootstrapServers: readonly string[],
  isMeant: (topic: string) => boolean,
): Promise<void> {
  await asAdmin(bootstrapServers, async (admin) => {
    const topics = (await admin.listTopics()).filter(isMeant);
    if (topics.length > 0) await admin.deleteTopics({ topics, timeout: GONE_WITHIN_MS });
  }).catch(() => undefined);
}

/** Sets these settings of a topic, and no others, as somebody might who knows nothing of what needs them. */
export async function setTopicConfig(
  bootstrapServers: readonly string[],
  topic: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await asAdmin(bootstrapServers, async (admin) => {
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
  });
}

async function asAdmin(
  bootstrapServers: readonly string[],
  work: (admin: Admin) => Promise<void>,
): Promise<void> {
  const kafka = new Kafka({
    clientId: 'topic-losses',
    brokers: [...bootstrapServers],
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}
