import { contractOptions, messageBusContract } from '../message-bus.contract.js';
import { MemoryMessageBus } from './memory.message-bus.js';

messageBusContract('in memory', async ({ topic, codec }) => {
  const bus = new MemoryMessageBus({ codec, ...contractOptions });
  return {
    bus: () => bus,
    append: async (key, value) => {
      bus.append(topic, key, value);
    },
    close: () => bus.close(),
  };
});
