import { createHash } from 'node:crypto';
import { Binary, BSON, type Document } from 'mongodb';
import { instantOf } from './bson-value.js';
import { canonicalDecimal } from './decimal.js';

/**
 * One side of a pair's key as the decision sees it: the canonical text of each mapped field, in the pair's
 * order, and their hash.
 */
export interface Image {
  readonly fields: readonly string[];
  readonly hash: string;
  /** What `newest` compares, in milliseconds since the epoch; null where that field holds no date. */
  readonly instant: number | null;
}

/** The image of a document, or of a row already mapped to BSON; an absent one has none. */
export function imageOf(
  names: readonly string[],
  document: Readonly<Document> | null,
  newest?: string,
): Image | null {
  if (document === null) return null;
  const fields = names.map((name) => canonicalText(own(document, name)));
  const hash = createHash('sha256')
    .update(JSON.stringify(named(names, fields)))
    .digest('base64url')
    .slice(0, 22);
  const instant = newest === undefined ? null : own(document, newest);
  return { fields, hash, instant: instant instanceof Date ? instant.getTime() : null };
}

/** Without what is null: a column that is added changes nothing for who does not have it yet. */
function named(names: readonly string[], fields: readonly string[]): [string, string][] {
  return names.flatMap((name, i): [string, string][] => (fields[i] ? [[name, fields[i]]] : []));
}

/**
 * One text for all values that a pair holds to be equal, and another for every other value: the kind of a
 * number, its scale and the sign of zero do not count, null and missing are alike, nor does the order of a
 * nested document's fields (`jsonb` does not keep it). The type of everything else does.
 * @throws ValueFault for a date that JavaScript cannot hold
 */
export function canonicalText(value: unknown): string {
  if (value === null || value === undefined) return '';
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'boolean':
      return value ? 'b1' : 'b0';
    case 'number':
    case 'bigint':
      return `n${canonicalDecimal(String(value))}`;
  }
  if (value instanceof Date) return `d${instantOf(value)}`;
  if (Array.isArray(value)) return `a${JSON.stringify(value.map(canonicalText))}`;
  if (value instanceof RegExp) return `e${BSON.EJSON.stringify(value)}`;
  return canonicalBson(value as { _bsontype?: string });
}

function canonicalBson(value: { readonly _bsontype?: string }): string {
  switch (value._bsontype) {
    case undefined:
      return `o${JSON.stringify(sortedEntries(value, canonicalText))}`;
    case 'Int32':
    case 'Long':
    case 'Double':
    case 'Decimal128':
      return `n${canonicalDecimal(String(value))}`;
    case 'Binary':
      return `x${(value as Binary).sub_type}:${(value as Binary).toString('hex')}`;
    default:
      return `e${BSON.EJSON.stringify(value, { relaxed: false })}`;
  }
}

/** The fields of a document by name, each with its text. */
export function sortedEntries(value: object, textOf: (item: unknown) => string): [string, string][] {
  return Object.entries(value)
    .map(([key, item]): [string, string] => [key, textOf(item)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A document's own field: one that it merely inherits, such as `constructor`, is missing. */
function own(document: Readonly<Document>, name: string): unknown {
  return Object.hasOwn(document, name) ? document[name] : undefined;
}
