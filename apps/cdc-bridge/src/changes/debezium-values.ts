import { createHash } from 'node:crypto';
import { shortestFloat4 } from '../values/bson-to-postgres.js';
import { JsonObject, readJson } from '../values/json-reader.js';
import { formatArray } from '../values/postgres-array.js';
import { formatHstore } from '../values/postgres-hstore.js';
import { baseType, type PostgresType } from '../values/postgres-type.js';
import { dateText, intervalText, localTimestampText, timeText, zonedTimestampText } from './debezium-time.js';
import type { WrittenType } from './row-fields.js';
import { UNAVAILABLE_VALUE } from './unavailable-value.js';

/** The column did not change, and Postgres left its value out of the log. */
export const UNCHANGED = Symbol('unchanged');
/** Debezium may have lost the value, or part of it. */
export const DOUBTFUL = Symbol('doubtful');

/** Postgres' own text of a value, as `readExpression` gives it, or why there is none. */
export type ToldText = string | null | typeof UNCHANGED | typeof DOUBTFUL;

type Teller = (value: never, type: PostgresType) => string | undefined;

interface Form {
  readonly avro: string;
  readonly meaning?: string;
  readonly text: Teller;
}

const plain = (text: string) => text;
const digits = (value: number | bigint) => value.toString();
const string = (text: Teller = plain, meaning?: string): Form => ({
  avro: 'string',
  text,
  ...(meaning && { meaning }),
});

/**
 * How Debezium 3.7 tells each type, with the settings of `sources/postgres.connector.ts`. What is not here it tells
 * wrongly or not at all: zones of `timetz`, zeros at the end of `varbit`, most arrays of more than one dimension.
 */
const FORMS: Readonly<Record<string, Form>> = {
  int2: { avro: 'int', text: digits },
  int4: { avro: 'int', text: digits },
  int8: { avro: 'long', text: digits },
  oid: { avro: 'long', text: digits },
  float4: { avro: 'float', text: (value: number) => floatText(value, shortestFloat4) },
  float8: { avro: 'double', text: (value: number) => floatText(value, String) },
  numeric: string(numericText),
  money: string(numericText),
  bool: { avro: 'boolean', text: (value: boolean) => (value ? 'true' : 'false') },
  text: string(),
  varchar: string(),
  name: string(),
  citext: string(),
  bpchar: string((text: string) => text.replace(/ +$/, '')),
  macaddr: string(),
  cidr: string(),
  inet: string((text: string) => (text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)),
  int4range: string(),
  int8range: string(),
  numrange: string(),
  bytea: { avro: 'bytes', text: (value: Buffer) => `\\x${value.toString('hex')}` },
  uuid: string(plain, 'io.debezium.data.Uuid'),
  json: string(plain, 'io.debezium.data.Json'),
  jsonb: string(plain, 'io.debezium.data.Json'),
  xml: string(plain, 'io.debezium.data.Xml'),
  tsvector: string(plain, 'io.debezium.data.Tsvector'),
  hstore: string(hstoreText, 'io.debezium.data.Json'),
  interval: string(intervalText, 'io.debezium.time.Interval'),
  date: { avro: 'int', meaning: 'io.debezium.time.Date', text: dateText },
  time: { avro: 'long', meaning: 'io.debezium.time.MicroTime', text: timeText },
  timestamptz: string(zonedTimestampText, 'io.debezium.time.ZonedTimestamp'),
};

const ENUM = string(plain, 'io.debezium.data.Enum');
const MICROSECONDS: Form = {
  avro: 'long',
  meaning: 'io.debezium.time.MicroTimestamp',
  text: (value: bigint) => localTimestampText(value),
};
const MILLISECONDS: Form = {
  avro: 'long',
  meaning: 'io.debezium.time.Timestamp',
  text: (value: bigint) => localTimestampText(value * 1_000n),
};

/** What Debezium tells in arrays too; of `time[]`, for one, it loses what is less than a second. */
const IN_ARRAYS = new Set([
  'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'bool', 'text', 'varchar', 'bpchar', 'bytea', 'uuid', 'json',
  'jsonb', 'hstore', 'date', 'timestamp', 'timestamptz', 'inet',
]); // biome-ignore format: a list

/** Arrays whose unchanged value has something that stands for it; that of all others is null. */
const UNCHANGED_IN_ARRAYS = new Set([
  'int4', 'int8', 'text', 'varchar', 'bpchar', 'json', 'jsonb', 'bytea', 'date', 'uuid',
]); // biome-ignore format: a list

/** Whether the text of a value of this type can come from a change at all, or must be read at the source each time. */
export function isTold(declared: PostgresType): boolean {
  const type = baseType(declared);
  if (type.kind === 'array' && type.of) return isToldInArrays(type.of);
  return formOf(type) !== undefined;
}

/**
 * Postgres' text of a value in a change.
 * @param declared the column's type as the catalogue has it now
 * @param written its type in the record, which may be older
 */
export function toldText(declared: PostgresType, written: WrittenType, value: unknown): ToldText {
  const type = baseType(declared);
  if (value === null && isLostUnchanged(declared)) return DOUBTFUL;
  if (type.kind === 'array' && type.of) return arrayText(type.of, written, value);
  const form = formOf(type);
  if (!form || !isWritten(form, written)) return DOUBTFUL;
  if (value === null || value === undefined) return null;
  if (isUnavailable(value)) return UNCHANGED;
  return form.text(value as never, type) ?? DOUBTFUL;
}

/**
 * Whether a large value that an update left alone (TOAST) comes as null: Debezium knows what to put there by the
 * declared type's name, and so not below a domain.
 */
export function isLostUnchanged(declared: PostgresType): boolean {
  const { kind, of } = baseType(declared);
  if (kind !== 'array' || !of) return false;
  return declared.kind === 'domain' || of.kind !== 'base' || !UNCHANGED_IN_ARRAYS.has(of.name);
}

function formOf(type: PostgresType): Form | undefined {
  if (type.kind === 'enum') return ENUM;
  if (type.name === 'timestamp') return (type.precision ?? 6) <= 3 ? MILLISECONDS : MICROSECONDS;
  if (type.kind !== 'base' && type.kind !== 'range') return undefined;
  return Object.hasOwn(FORMS, type.name) ? FORMS[type.name] : undefined;
}

function isWritten({ avro, meaning }: Form, written: WrittenType): boolean {
  return written.avro === avro && written.meaning === meaning;
}

/** Elements of a domain come as bytes. */
function isToldInArrays({ kind, name }: PostgresType): boolean {
  return kind === 'enum' || (kind === 'base' && IN_ARRAYS.has(name));
}

/** An array in which an element is null tells all its elements, unless they all are: then it may have had two dimensions. */
function arrayText(element: PostgresType, written: WrittenType, value: unknown): ToldText {
  if (value === null) return null;
  if (!Array.isArray(value) || !written.items || !isToldInArrays(element)) return DOUBTFUL;
  if (isUnavailableArray(value)) return UNCHANGED;
  if (value.length > 0 && value.every((item) => item === null)) return DOUBTFUL;
  const texts: (string | null)[] = [];
  for (const item of value) {
    const text = isJavaObject(item) ? DOUBTFUL : toldText(element, written.items, item);
    if (typeof text === 'symbol') return DOUBTFUL;
    // Within an array Postgres prints an address as Debezium tells it.
    texts.push(element.name === 'inet' ? (item as string | null) : text);
  }
  return formatArray(texts);
}

/** An array in an array of texts: `[Ljava.lang.String;@253d5f85`. */
function isJavaObject(item: unknown): boolean {
  return typeof item === 'string' && /^\[+(?:L[\w.$]+;|[A-Z])@[0-9a-f]+$/.test(item);
}

const PLACEHOLDER = Buffer.from(UNAVAILABLE_VALUE);
const PLACEHOLDER_HSTORE = JSON.stringify({ [UNAVAILABLE_VALUE]: UNAVAILABLE_VALUE });
const PLACEHOLDER_UUID = uuidOf(PLACEHOLDER);

function isUnavailable(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.equals(PLACEHOLDER);
  return value === UNAVAILABLE_VALUE || value === PLACEHOLDER_HSTORE;
}

/** In an array of numbers the placeholder stands as its characters' codes, and in one of UUIDs as the UUID of its name. */
function isUnavailableArray(value: readonly unknown[]): boolean {
  if (value.length === 1) return isUnavailable(value[0]) || value[0] === PLACEHOLDER_UUID;
  if (value.length !== PLACEHOLDER.length) return false;
  return value.every((item, i) => typeof item !== 'object' && String(item) === String(PLACEHOLDER[i]));
}

/** Java's `UUID.nameUUIDFromBytes`. */
function uuidOf(name: Buffer): string {
  const bytes = createHash('md5').update(name).digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x30;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function floatText(value: number, print: (value: number) => string): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) && value !== 0 ? print(value) : String(value);
}

const SPECIAL: Readonly<Record<string, string>> = {
  NAN: 'NaN',
  POSITIVE_INFINITY: 'Infinity',
  NEGATIVE_INFINITY: '-Infinity',
};

/** With a negative scale Debezium adds a fraction of zeros, 2,000 long. */
function numericText(text: string, { scale = 0 }: PostgresType): string | undefined {
  const special = SPECIAL[text];
  if (special) return special;
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return undefined;
  return scale < 0 ? text.replace(/\.0+$/, '') : text;
}

function hstoreText(json: string): string | undefined {
  const node = readJson(json);
  if (!(node instanceof JsonObject)) return undefined;
  // As Postgres separates them.
  return node.entries
    .map(([key, value]) => formatHstore([[key, typeof value === 'string' ? value : null]]))
    .join(', ');
}
