import { type Binary, BSON } from 'mongodb';
import { sortedEntries } from './canonical.js';

/**
 * One text for each value, and another for every other one: unlike `canonicalText` it tells 5 from 5.0, and null from
 * missing within a field, because one way nothing may change. Only the order of a nested document's fields does not
 * count.
 */
export function exactText(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `s${value}`;
  if (typeof value !== 'object') return `${typeof value} ${String(value)}`;
  if (value instanceof Date) return `d${value.getTime()}`; // NaN where JavaScript cannot hold the date
  if (Array.isArray(value)) return `a${JSON.stringify(value.map(exactText))}`;
  const bson = value as { _bsontype?: string; value?: unknown };
  switch (Object.hasOwn(value, '_bsontype') || bson._bsontype !== undefined ? bson._bsontype : 'document') {
    case 'document':
      return `o${JSON.stringify(sortedEntries(value, exactText))}`;
    case 'Int32':
    case 'Long':
    case 'Decimal128':
      return `${bson._bsontype} ${String(value)}`;
    case 'Double':
      return `Double ${Object.is(bson.value, -0) ? '-0' : String(bson.value)}`;
    case 'Binary':
      return `x${(value as Binary).sub_type}:${(value as Binary).toString('hex')}`;
    default:
      return `e${BSON.EJSON.stringify(value, { relaxed: false })}`;
  }
}
