import type avsc from 'avsc';
import { parseOwnSchema } from './avro/avro-types.js';
import type { RecordSchema } from './record-schema.js';

/** What a contract says without its event's TypeScript type: enough to route, register and decode. */
export interface AnyEventContract {
  /** The record's full name, `namespace.name`: the header `eventType`, and what consumers route by. */
  readonly name: string;
  readonly topic: string;
  /** Where the registry keeps the schema's versions: `<topic>-<full name>` (TopicRecordNameStrategy). */
  readonly subject: string;
  readonly schema: RecordSchema;
  /** The schema as avsc reads and writes it, with the logical types of `avro-types.ts`. */
  readonly type: avsc.Type;
}

/**
 * One event type's topic, key and schema: the whole of what services have to agree on. `in out` keeps a contract
 * from being taken for one of a similar event.
 */
export interface EventContract<in out T> extends AnyEventContract {
  /** The record's key, by which events of one aggregate stay in order. */
  readonly key: (event: T) => string;
}

/** The event of a contract: `EventOf<typeof OrderPlaced>` is `OrderPlaced`. */
export type EventOf<C> = C extends EventContract<infer T> ? T : never;

/** Declares a contract. @throws Error when the schema is not valid Avro, or one of its logical types is not. */
export function eventContract<T>(declaration: {
  readonly topic: string;
  readonly schema: RecordSchema;
  readonly key: (event: T) => string;
}): EventContract<T> {
  const { topic, schema, key } = declaration;
  const name = `${schema.namespace}.${schema.name}`;
  return Object.freeze({
    name,
    topic,
    subject: `${topic}-${name}`,
    schema,
    type: parseOwnSchema(schema),
    key,
  });
}
