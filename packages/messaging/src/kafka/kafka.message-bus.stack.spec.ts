import { inject } from 'vitest';
import { silentLog } from '../log.js';
import { contractOptions, messageBusContract } from '../message-bus.contract.js';
import type { MessageBus } from '../message-bus.js';
import { applyTopics } from './apply-topics.js';
import { KafkaMessageBus } from './kafka.message-bus.js';
import { RecordProducer } from './record-producer.js';

const brokers = inject('stack').kafka.bootstrapServers;
const connection = { brokers, clientId: 'contract', log: silentLog };

messageBusContract('on Kafka', async ({ topic, codec }) => {
  await applyTopics(brokers, [{ name: topic, partitions: 3, replicationFactor: 3, config: {} }]);
  const producer = new RecordProducer(connection);
  const buses: MessageBus[] = [];
  return {
    bus: () => {
      const bus = new KafkaMessageBus({ ...connection, codec, ...contractOptions });
      buses.push(bus);
      return bus;
    },
    append: async (key, value) => {
      await producer.append({ topic, key, value, headers: {} });
    },
    close: async () => {
      await Promise.all([...buses.map((bus) => bus.close()), producer.close()]);
    },
  };
});
