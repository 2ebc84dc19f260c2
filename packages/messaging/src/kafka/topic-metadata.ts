import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ITopicMetadata, KafkaJSProtocolError } from 'kafkajs';

const ATTEMPTS = 20;
const PAUSE_MS = 250;

/**
 * Topics with their partitions. Right after they were made they can be unknown to the broker that is asked, or without
 * leaders: asks again for five seconds.
 *
 * @throws KafkaJSProtocolError of type UNKNOWN_TOPIC_OR_PARTITION when one is still unknown then
 */
export async function topicMetadata(admin: Admin, names: readonly string[]): Promise<ITopicMetadata[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      const haveLeaders = topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
      if (haveLeaders || attempt >= ATTEMPTS) return topics;
    } catch (error) {
      const isUnknown = (error as Partial<KafkaJSProtocolError>).type === 'UNKNOWN_TOPIC_OR_PARTITION';
      if (!isUnknown || attempt >= ATTEMPTS) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
