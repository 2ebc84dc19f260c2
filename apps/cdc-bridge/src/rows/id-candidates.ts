import { Binary, Decimal128, type Document, Double, type Filter, Int32, Long, ObjectId, UUID } from 'mongodb';
import { isDocument, type Path, put } from '../mapping/document-path.js';
import type { BsonDocument, BsonValue } from '../values/bson-value.js';
import { parseTimestamp } from '../values/postgres-time.js';
import { baseType, isTextNumeric, type PostgresType } from '../values/postgres-type.js';
import { unlessFault } from '../values/value.fault.js';

/** So many `_id`s are tried for one key, the fields in the order of the key first. */
const MOST = 64;

/** A column of a key: its path, `_id` or below it, and its value in the row. */
export interface KeyPart {
  readonly path: Path;
  readonly value: BsonValue;
  /** Whether a text in a document may spell the value otherwise: see `hasSpellings`. */
  readonly hasSpellings: boolean;
}

/** Each value of these Postgres prints as a document has it, but for what `idCandidates` or `keyOf` know of. */
const SPELLED_ONCE = new Set([
  'int2', 'int4', 'int8', 'float4', 'float8', 'money', 'bool', 'bytea', 'uuid', 'text', 'varchar', 'bpchar', 'citext',
  'name', 'json', 'jsonb',
]); // biome-ignore format: a list

/** Whether texts of a column can be the same value without being the same: `10.0.0.1` and `10.0.0.1/32`. */
export function hasSpellings(declared: PostgresType): boolean {
  const type = baseType(declared);
  if (type.name === 'numeric') return isTextNumeric(type);
  return type.kind !== 'enum' && !(type.kind === 'base' && SPELLED_ONCE.has(type.name));
}

/**
 * What a document's `_id` may be, going by the key of its row: Postgres keeps no ObjectId and not the order of a
 * document's fields. MongoDB takes numbers of all types for equal by itself, but 0.1 is another as double and as decimal.
 * Of a key with several parts these may not be all.
 */
export function idCandidates(parts: readonly KeyPart[]): BsonValue[] {
  const candidates: BsonValue[] = [];
  for (const order of permutations(parts)) {
    for (const choice of choices(order)) {
      if (candidates.length === MOST) return candidates;
      const document: BsonDocument = {};
      for (const { path, value } of choice) put(document, path, isDocument(value) ? copyOf(value) : value);
      candidates.push(document._id ?? null);
    }
  }
  return candidates;
}

/**
 * Finds every `_id` that has the parts of one of the keys, in any order and among others, and also those that have parts
 * of several keys: only the key can tell. A part that can be told in too many ways is not asked for, nor one whose name
 * is no path to MongoDB. A whole `_id` can be another than the candidates only as a text, or in its fields' order.
 */
export function partsQuery(keys: readonly (readonly KeyPart[])[]): Filter<Document> {
  const query: Filter<Document> = {};
  for (const [i, { path, hasSpellings }] of (keys[0] ?? []).entries()) {
    if (hasSpellings) {
      if (path.length === 1) query._id = { $type: ['string', 'object'] as never };
      continue;
    }
    const values = keys.map((parts) => parts[i]?.value ?? null);
    if (path.some((name) => name === '' || name.startsWith('$')) || !values.every(isPlain)) continue;
    query[path.join('.')] = { $in: values.flatMap(alternatives) };
  }
  return query;
}

function isPlain(value: BsonValue): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  return [Int32, Long, Double, Decimal128].some((number) => value instanceof number);
}

/** Each part with each of its alternatives. */
function* choices([part, ...others]: readonly KeyPart[]): Generator<KeyPart[]> {
  if (!part) return yield [];
  for (const value of alternatives(part.value)) {
    for (const rest of choices(others)) yield [{ ...part, value }, ...rest];
  }
}

function alternatives(value: BsonValue): BsonValue[] {
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) {
    return [value, ...uuidTexts(value)];
  }
  if (value instanceof Date) return [value, value.toISOString()];
  if (value instanceof Decimal128 || value instanceof Double) return [value, ...numbers(value.toString())];
  if (typeof value !== 'string') return [value];
  const others: BsonValue[] = numbers(value);
  if (/^[0-9a-f]{24}$/i.test(value)) others.push(new ObjectId(value));
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) others.push(new UUID(value));
  const instant = instantIn(value);
  if (instant) others.push(instant, instant.toISOString());
  return [value, ...others];
}

/** Those of which `keyOf` refuses all others. */
function uuidTexts(value: Binary): string[] {
  const text = value.toUUID().toHexString();
  return [text, text.replaceAll('-', '')].flatMap((each) => [each, each.toUpperCase()]);
}

/** Of a timestamp's text as it stands in MongoDB, in whatever year. */
function instantIn(text: string): Date | undefined {
  if (!/^\d{4,}-\d\d-\d\dT[\d:.]+Z?(?: BC)?$/.test(text)) return undefined;
  return unlessFault(() => parseTimestamp(text.replace('T', ' ').replace('Z', ''), 'exact'));
}

/** A wide or unbounded `numeric` is a text. */
function numbers(text: string): BsonValue[] {
  const digits = /^-?(\d+)(?:\.(\d+))?$/.exec(text);
  if (!digits || `${digits[1]}${digits[2] ?? ''}`.length > 34) return [];
  return [Decimal128.fromString(text), new Double(Number(text))];
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) return yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.filter((_, j) => j !== i))) yield [item, ...rest];
  }
}

function copyOf(document: BsonDocument): BsonDocument {
  const copy: BsonDocument = {};
  for (const [name, value] of Object.entries(document))
    put(copy, [name], isDocument(value) ? copyOf(value) : value);
  return copy;
}
