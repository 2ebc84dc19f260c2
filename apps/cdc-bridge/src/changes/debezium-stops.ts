import type { Column } from '../postgres/table-columns.js';
import { baseType } from '../values/postgres-type.js';
import { isLostUnchanged } from './debezium-values.js';

/** Arrays of these are in no record. */
const LEFT_OUT = new Set(['interval', 'money', 'name', 'point', 'varbit', 'xml']);
/** Arrays of these are in every record, as null. */
const ALWAYS_NULL = new Set(['bit', 'box', 'circle', 'line', 'lseg', 'path', 'polygon']);
const UNCHANGED = 'without REPLICA IDENTITY FULL, a large value that an update leaves alone';
/** Postgres moves no smaller value out of its row. */
const TOAST_BITS = 128;

/**
 * The values of a column at which Debezium 3.7 stops for good, and with it the connector of the whole database: it
 * makes null of them, and the column is NOT NULL.
 */
export function stoppingValues({ type, nullable, inEveryChange }: Column): string[] {
  if (nullable) return [];
  const { kind, of, name, length = Number.POSITIVE_INFINITY } = baseType(type);
  const element = of?.name ?? '';
  if (kind !== 'array') {
    const isLarge = (name === 'bit' || name === 'varbit') && length > TOAST_BITS;
    return isLarge && !inEveryChange ? [UNCHANGED] : [];
  }
  if (ALWAYS_NULL.has(element)) return ['any value'];
  const stops =
    element === 'numeric' ? [of?.precision === undefined ? 'a NaN or an infinity in it' : 'a NaN in it'] : [];
  const isLost = isLostUnchanged(type) && !LEFT_OUT.has(element);
  return isLost && !inEveryChange ? [...stops, UNCHANGED] : stops;
}
