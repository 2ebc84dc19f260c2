const DAY_MS = 24 * 60 * 60 * 1_000;

/** A topic as the deploy step creates it. `config` holds Kafka's own names and values. */
export interface TopicDeclaration {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Three copies, two of them written before a record counts as sent: one broker may be lost at any time. */
const REPLICATED = { replicationFactor: 3, minInSyncReplicas: '2' };

/** One topic for each aggregate type, several event types in it, so that order holds for each aggregate. */
export const ORDER_EVENTS = 'order.events';
export const INVENTORY_EVENTS = 'inventory.events';

/** Every topic of the system. Brokers create none by themselves. */
export const topics: readonly TopicDeclaration[] = [
  eventTopic(ORDER_EVENTS),
  eventTopic(INVENTORY_EVENTS),
  heartbeatTopic('orders-outbox'),
  heartbeatTopic('inventory-outbox'),
];

/** Of a dead letter, beside the record's own bytes: where it came from and why it is there. */
const DEAD_LETTER_HEADER_BYTES = 1_024 * 1_024;

/**
 * The topic for records that a consumer group cannot handle, `<group>.dlq`. They wait there for a person.
 *
 * @param maxRecordBytes the largest record that the group may meet; 32 MB holds both images of a MongoDB document
 */
export function deadLetterTopicOf(group: string, maxRecordBytes = 32 * 1_024 * 1_024): TopicDeclaration {
  return {
    name: `${group}.dlq`,
    partitions: 1,
    replicationFactor: REPLICATED.replicationFactor,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(90 * DAY_MS),
      'min.insync.replicas': REPLICATED.minInSyncReplicas,
      'max.message.bytes': String(maxRecordBytes + DEAD_LETTER_HEADER_BYTES),
    },
  };
}

/**
 * How long a topic keeps its records, in milliseconds: whoever remembers which of them it handled must do so at
 * least as long.
 *
 * @throws Error when the topic is not declared, or keeps its records for ever
 */
export function retentionOf(topicName: string, declared: readonly TopicDeclaration[] = topics): number {
  const ms = Number(declared.find(({ name }) => name === topicName)?.config['retention.ms']);
  if (!(ms > 0)) {
    throw new Error(
      `topic ${topicName} has no retention.ms: declare one, so that what remembers its records can forget them`,
    );
  }
  return ms;
}

function eventTopic(name: string): TopicDeclaration {
  return {
    name,
    partitions: 6,
    replicationFactor: REPLICATED.replicationFactor,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * DAY_MS),
      'min.insync.replicas': REPLICATED.minInSyncReplicas,
    },
  };
}

/** Debezium's: without it the connector delivers nothing, while Connect reports it as running. */
function heartbeatTopic(connector: string): TopicDeclaration {
  return {
    name: `__debezium-heartbeat.${connector}`,
    partitions: 1,
    replicationFactor: REPLICATED.replicationFactor,
    config: {
      'cleanup.policy': 'delete',
      'retention.ms': String(DAY_MS),
      'min.insync.replicas': REPLICATED.minInSyncReplicas,
    },
  };
}
