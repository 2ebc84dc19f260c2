import avsc from 'avsc';
import { withAvroNames } from './avro-names.js';
import { bigLongType } from './big-long.type.js';
import { BoundedArrayType } from './bounded-array.type.js';
import { BoundedMapType } from './bounded-map.type.js';
import { CheckedIntType } from './checked-int.type.js';
import { CheckedStringType } from './checked-string.type.js';
import { DecimalType } from './decimal.type.js';
import { TimestampMillisType } from './timestamp-millis.type.js';

/** Types that a writer's schema names by Kafka Connect's attribute. */
const connectNames = new WeakMap<avsc.Type, string>();

/** What Kafka Connect says that a value means, as `io.debezium.time.MicroTimestamp`; undefined where it says nothing. */
export function connectName(type: avsc.Type): string | undefined {
  return connectNames.get(type);
}

const checkedIntType = new CheckedIntType();
const checkedStringType = new CheckedStringType();

/** The logical types in use: decimal ↔ string, timestamp-millis ↔ Date. */
export const logicalTypes = { decimal: DecimalType, 'timestamp-millis': TimestampMillisType };

/**
 * avsc's hook for the types that are not logical: long ↔ bigint; ints, strings, arrays and maps that hostile bytes or
 * values cannot make something else of; and names that only Kafka Connect takes.
 */
export function avroTypeHook(
  schema: avsc.Schema,
  options: Partial<avsc.ForSchemaOptions>,
): avsc.Type | undefined {
  const mended = withAvroNames(schema);
  if (mended !== schema) return avsc.Type.forSchema(mended, options);
  const {
    type,
    logicalType,
    'connect.name': name,
  } = (typeof schema === 'string' ? { type: schema } : schema) as {
    type?: unknown;
    logicalType?: string;
    'connect.name'?: unknown;
  };
  if (logicalType !== undefined && Object.hasOwn(logicalTypes, logicalType)) return undefined;
  if (typeof name === 'string') {
    const named = unshared(type);
    if (named) connectNames.set(named, name);
    if (named) return named;
  }
  switch (type) {
    case 'long':
      return bigLongType;
    case 'int':
      return checkedIntType;
    case 'string':
      return checkedStringType;
    case 'array':
      return new BoundedArrayType(schema, options);
    case 'map':
      return new BoundedMapType(schema, options);
    default:
      return undefined;
  }
}

/** A type of one field's own, so that it can have a name. */
function unshared(type: unknown): avsc.Type | undefined {
  switch (type) {
    case 'long':
      return Object.create(bigLongType) as avsc.Type;
    case 'int':
      return new CheckedIntType();
    case 'string':
      return new CheckedStringType();
    default:
      return undefined;
  }
}

/**
 * Options for `avsc.Type.forSchema`, made anew for each schema: avsc adds a `registry` to them and keeps the schema's
 * named types in it, so that the next schema would find its names taken.
 */
export function avroOptions(): Partial<avsc.ForSchemaOptions> {
  return { logicalTypes, typeHook: avroTypeHook, omitRecordMethods: true } as Partial<avsc.ForSchemaOptions>;
}

/**
 * The type of any Avro schema, a foreign writer's included, with the same logical types as the contracts.
 * A logical type that is unknown or invalid counts as the type beneath it, as the specification wants.
 *
 * @param schema the schema, or its JSON text
 * @throws Error when it is not an Avro schema
 */
export function parseSchema(schema: unknown): avsc.Type {
  return avsc.Type.forSchema(
    (typeof schema === 'string' ? JSON.parse(schema) : schema) as avsc.Schema,
    avroOptions(),
  );
}

/** As `parseSchema`, for a schema of our own: a logical type that is invalid is an error. */
export function parseOwnSchema(schema: object): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, { ...avroOptions(), assertLogicalTypes: true });
}
