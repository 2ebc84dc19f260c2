import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { Log } from '../log.js';
import { registerCompressionCodecs } from './compression/compression-codecs.js';

// Its partitioner is the one that Connect uses; the client would print a reminder of that at every producer.
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';

export interface KafkaConnection {
  /** Bootstrap servers, `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly log: Log;
}

/**
 * Longest wait for a broker's answer to a send. Longer than brokers take to notice that one of them died: with 5 s,
 * acknowledged records were lost in failovers.
 */
export const PRODUCE_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** A KafkaJS client that tells of trouble and leaves it to us to begin again. Its inner retries end within 10 s. */
export function kafkaClient(
  { brokers, clientId, log }: KafkaConnection,
  options?: Partial<KafkaConfig>,
): Kafka {
  registerCompressionCodecs(log);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 5_000, restartOnFailure: async () => false },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => {
      const { message, timestamp: _, ...fields } = entry.log;
      const write = entry.level === logLevel.ERROR || entry.level === logLevel.WARN ? log.warn : log.debug;
      write(`kafkajs: ${message}`, fields);
    },
    ...options,
  });
}
