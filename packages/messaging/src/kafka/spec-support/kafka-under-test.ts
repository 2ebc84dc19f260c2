import { Kafka, logLevel } from 'kafkajs';
import { inject } from 'vitest';
import { silentLog } from '../../log.js';
import { applyTopics } from '../apply-topics.js';

export const brokers = inject('stack').kafka.bootstrapServers;
export const connection = { brokers, clientId: 'messaging-tests', log: silentLog };

/** A bare client: what other programs do to the cluster. */
export const bareKafka = new Kafka({ clientId: 'other', brokers: [...brokers], logLevel: logLevel.NOTHING });

/** Makes a topic for one test, gone when the test is over. */
export async function testTopic(
  name: string,
  { partitions = 3, config = {} }: { partitions?: number; config?: Record<string, string> } = {},
): Promise<AsyncDisposable> {
  await applyTopics(brokers, [{ name, partitions, replicationFactor: 3, config }]);
  return {
    [Symbol.asyncDispose]: () =>
      withAdmin(async (admin) => {
        await admin.deleteTopics({ topics: [name] });
      }),
  };
}

export async function withAdmin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = bareKafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
