import { contractOptions, messageBusContract } from '../message-bus.contract.js';
import type { MessageBus } from '../message-bus.js';
import { KafkaMessageBus } from './kafka.message-bus.js';
import { RecordProducer } from './record-producer.js';
import { connection, testTopic } from './spec-support/kafka-under-test.js';

messageBusContract('on Kafka', async ({ topic, codec }) => {
  const disposable = await testTopic(topic);
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
      await disposable[Symbol.asyncDispose]();
    },
  };
});
