import type { Column } from '../postgres/table-columns.js';
import type { BsonValue } from '../values/bson-value.js';
import { canonicalDecimal } from '../values/decimal.js';
import { toBson } from '../values/postgres-to-bson.js';
import { baseType, isDate, type PostgresType } from '../values/postgres-type.js';
import { parseInstant } from './instant.js';
import type { Scalar, Where } from './row-filter.js';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'money']);
/** Of which every value has one text: the one that a user would write. */
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);
const OTHERS = new Set(['bool', 'uuid', 'date', 'time', 'timestamp', 'timestamptz']);
const DECIMAL = /^[+-]?\d+(\.\d+)?$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?$/;
const DAY = /^\d{4,}-\d\d-\d\d$/;

/**
 * What a table's `where` looks for, as the mapped values have it.
 * @throws Error that names a column which cannot be filtered by, or a value that no row could have
 */
export function filterValues(columns: readonly Column[], where: Where): Record<string, BsonValue[]> {
  return Object.fromEntries(
    Object.entries(where).map(([name, wanted]) => {
      const column = columns.find((candidate) => candidate.name === name) as Column;
      const list = Array.isArray(wanted) ? (wanted as readonly Scalar[]) : [wanted as Scalar];
      return [name, list.map((scalar) => (scalar === null ? null : valueFor(column, scalar)))];
    }),
  );
}

function valueFor({ name, type: declared, sqlType }: Column, wanted: Exclude<Scalar, null>): BsonValue {
  const type = baseType(declared);
  const refuse = (give: string) =>
    new Error(
      `where: the column ${name} is ${sqlType}, and ${JSON.stringify(wanted)} is no value of it: give ${give}`,
    );
  if (!isFit(type))
    throw new Error(
      `where: the column ${name} is ${sqlType}, by which rows cannot be filtered: name another`,
    );
  if (type.name === 'bool') {
    if (typeof wanted !== 'boolean') throw refuse('true or false');
    return wanted;
  }
  if (typeof wanted === 'boolean') throw refuse('a text');
  if (NUMBERS.has(type.name)) {
    if (typeof wanted === 'string' && !DECIMAL.test(wanted)) throw refuse('a number');
    return toBson({ name: 'numeric', kind: 'base', precision: 1 }, canonicalDecimal(String(wanted)), 'exact');
  }
  const text = String(wanted);
  if (type.name === 'uuid' && !UUID.test(text)) throw refuse('a UUID');
  if (type.name === 'date' && !DAY.test(text)) throw refuse('a day such as 2026-01-31');
  if (type.name === 'time' && !TIME.test(text)) throw refuse('a time such as 12:00:00 or 12:00:00.25');
  return type.name === 'timestamp' || type.name === 'timestamptz' ? instantOf(type, text, refuse) : text;
}

/** Of other types one value can be written in many ways (`10.0.0.1` is `10.0.0.1/32`), of which none would be found. */
function isFit({ name, kind }: PostgresType): boolean {
  return kind === 'enum' || (kind === 'base' && [NUMBERS, TEXTS, OTHERS].some((names) => names.has(name)));
}

/** As the mapping gives it: a Date, or the text that keeps the microseconds. */
function instantOf(type: PostgresType, text: string, refuse: (give: string) => Error): BsonValue {
  const instant = parseInstant(text);
  if (!instant) throw refuse('an instant such as 2026-01-31T12:00:00Z');
  if (isDate(type, 'exact') && !instant.isWhole) throw refuse('milliseconds, and no more');
  const zone = type.name === 'timestamptz' ? '+00' : '';
  return toBson(type, `${instant.text}${zone}`, 'exact');
}
