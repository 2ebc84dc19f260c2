import type { Column } from '../postgres/table-columns.js';
import { baseType, type PostgresType } from '../values/postgres-type.js';
import { isLostUnchanged } from './debezium-values.js';

/** Arrays of these are in no record. */
const LEFT_OUT = new Set(['interval', 'money', 'name', 'point', 'varbit', 'xml']);
/** Arrays of these are in every record, as null. */
const ALWAYS_NULL = new Set(['bit', 'box', 'circle', 'line', 'lseg', 'path', 'polygon']);
/** Arrays of these may have a NULL in them; those after, and of enums, two dimensions alone. */
const NULL_TOLD = new Set([
  'int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'bool', 'text', 'varchar', 'bpchar', 'citext', 'char', 'bytea',
  'uuid', 'json', 'jsonb', 'hstore', 'date', 'time', 'timestamp', 'timestamptz', 'inet', 'cidr', 'macaddr', 'macaddr8',
  'int4range', 'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange',
]); // biome-ignore format: a list
const DIMENSIONS_TOLD = new Set(['ltree', 'tsvector']);
const UNCHANGED = 'without REPLICA IDENTITY FULL, a large value that an update leaves alone';
/** Postgres moves no smaller value out of its row. */
const TOAST_BITS = 128;

/**
 * The values of a column at which Debezium 3.7 stops for good, and with it the connector of the whole database: it
 * makes null of them, and the column is NOT NULL.
 */
export function stoppingValues({ type, nullable, inEveryChange }: Column): string[] {
  const { kind, of, name, length = Number.POSITIVE_INFINITY } = baseType(type);
  if (nullable || LEFT_OUT.has(of?.name ?? '')) return [];
  if (kind !== 'array' || !of) {
    const isLarge = (name === 'bit' || name === 'varbit') && length > TOAST_BITS;
    return isLarge && !inEveryChange ? [UNCHANGED] : [];
  }
  if (ALWAYS_NULL.has(of.name)) return ['any value'];
  const elements = stoppingElements(of);
  return isLostUnchanged(type) && !inEveryChange ? [...elements, UNCHANGED] : elements;
}

function stoppingElements({ name, kind, precision }: PostgresType): string[] {
  if (kind === 'enum' || DIMENSIONS_TOLD.has(name)) return ['a NULL in it'];
  if (kind === 'domain' || kind === 'composite') return ['a NULL or a second dimension in it'];
  if (name === 'numeric') return [precision === undefined ? 'a NaN or an infinity in it' : 'a NaN in it'];
  if (name === 'timetz') return ['a second dimension in it'];
  return NULL_TOLD.has(name) ? [] : ['a NULL or a second dimension in it'];
}
