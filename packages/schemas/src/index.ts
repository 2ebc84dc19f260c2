export { avroOptions, avroTypeHook, connectName, logicalTypes, parseSchema } from './avro/avro-types.js';
export { explainInvalid } from './avro/explain-invalid.js';
export { contracts } from './contracts.js';
export { type AnyEventContract, type EventContract, type EventOf, eventContract } from './event.contract.js';
export * from './inventory.contracts.js';
export * from './order.contracts.js';
export type { AvroSchema, RecordSchema } from './record-schema.js';
export {
  deadLetterTopicOf,
  INVENTORY_EVENTS,
  ORDER_EVENTS,
  retentionOf,
  type TopicDeclaration,
  topics,
} from './topics.js';
