import { Binary, Decimal128, type Document, Double, type Filter, Int32, Long, ObjectId, UUID } from 'mongodb';
import { isDocument, type Path, put } from '../mapping/document-path.js';
import type { BsonDocument, BsonValue } from '../values/bson-value.js';

/** So many `_id`s are tried for one key, the fields in the order of the key first. */
const MOST = 64;

/** A column of a key: its path, `_id` or below it, and its value in the row. */
export interface KeyPart {
  readonly path: Path;
  readonly value: BsonValue;
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
 * is no path to MongoDB.
 */
export function partsQuery(keys: readonly (readonly KeyPart[])[]): Filter<Document> {
  const query: Filter<Document> = {};
  for (const [i, { path }] of (keys[0] ?? []).entries()) {
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
    for (const rest of choices(others)) yield [{ path: part.path, value }, ...rest];
  }
}

function alternatives(value: BsonValue): BsonValue[] {
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) {
    const text = value.toUUID().toHexString();
    return [value, text, text.toUpperCase()];
  }
  if (value instanceof Date) return [value, value.toISOString()];
  if (value instanceof Decimal128 || value instanceof Double) return [value, ...numbers(value.toString())];
  if (typeof value !== 'string') return [value];
  const others: BsonValue[] = numbers(value);
  if (/^[0-9a-f]{24}$/i.test(value)) others.push(new ObjectId(value));
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) others.push(new UUID(value));
  const instant = /^\d{4}-\d\d-\d\dT[\d:.]+Z?$/.test(value) ? new Date(value.replace(/Z?$/, 'Z')) : undefined;
  if (instant && !Number.isNaN(instant.getTime())) others.push(instant);
  return [value, ...others];
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
