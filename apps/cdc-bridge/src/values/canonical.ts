import { type Binary, BSON } from 'mongodb';
import { instantOf } from './bson-value.js';
import { canonicalDecimal } from './decimal.js';

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
