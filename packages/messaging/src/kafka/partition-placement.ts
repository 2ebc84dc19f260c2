import { Partitioners } from 'kafkajs';

const place = Partitioners.DefaultPartitioner();

/**
 * The partition where Java producers, and so Kafka Connect, put a key: murmur2 of its UTF-8 bytes, sign bit cleared,
 * modulo the number of partitions
 * (https://github.com/apache/kafka/blob/4.3.1/clients/src/main/java/org/apache/kafka/clients/producer/internals/BuiltInPartitioner.java).
 */
export function partitionOf(topic: string, key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    partitionErrorCode: 0,
    replicas: [],
    isr: [],
  }));
  return place({ topic, partitionMetadata, message: { key, value: null } });
}
