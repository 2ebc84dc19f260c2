import { Decimal128, Int32, Long, ObjectId, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { Column } from '../postgres/table-columns.js';
import type { BsonValue } from '../values/bson-value.js';
import { toBson } from '../values/postgres-to-bson.js';
import type { PostgresType } from '../values/postgres-type.js';
import { filterValues } from './filter-values.js';
import { RowFilter, type Scalar } from './row-filter.js';
import { column } from './testing/column.js';

const id = '0123456789abcdef01234567';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';

describe('a filter of documents', () => {
  it.each<[BsonValue, Scalar, boolean]>([
    [new Int32(5), 5, true],
    [Decimal128.fromString('5.00'), 5, true],
    [Long.fromString('5'), 6, false],
    ['5', 5, true],
    ['five', 5, false],
    [new ObjectId(id), id.toUpperCase(), true],
    [new UUID(uuid), uuid, true],
    [new Date('2026-01-31T12:00:00.123Z'), '2026-01-31T13:00:00.123+01:00', true],
    [new Date('2026-01-31T12:00:00.123Z'), '2026-01-31 12:00:00.1234Z', false],
    [new Date('2026-01-31T00:00:00Z'), '2026-01-31', true],
    [new Date(Number.NaN), '2026-01-31', false],
    ['2026-01-31', '2026-01-31', true],
    [null, null, true],
    [true, true, true],
    ['true', true, false],
  ])('finds %s by %s: %s', (value, wanted, found) => {
    expect(new RowFilter({ field: wanted }).matches(() => value)).toBe(found);
  });
});

const typed = (name: string, more: Partial<PostgresType> = {}): Column => ({
  ...column('c', name),
  type: { name, kind: 'base', ...more },
});

describe('a filter of rows', () => {
  it.each<[Column, string, Scalar, boolean]>([
    [typed('timestamptz'), '2026-01-31 12:00:00.123456+00', '2026-01-31T13:00:00.123456+01:00', true],
    [typed('timestamptz'), '2026-01-31 12:00:00.123457+00', '2026-01-31T13:00:00.123456+01:00', false],
    [typed('timestamptz', { precision: 3 }), '2026-01-31 12:00:00.12+00', '2026-01-31 12:00:00.120Z', true],
    [typed('timestamp'), '2026-01-31 00:00:00', '2026-01-31', true],
    [typed('date'), '2026-01-31', '2026-01-31', true],
    [typed('time'), '12:00:00.25', '12:00:00.25', true],
    [typed('mood', { kind: 'enum' }), 'happy', 'happy', true],
    [typed('int8'), '9223372036854775807', '9223372036854775807', true],
    [typed('int8'), '9223372036854775807', '9223372036854775806', false],
    [typed('numeric'), '5.00', 5, true],
    [typed('money'), '5.00', '5', true],
    [typed('uuid'), uuid, uuid.toUpperCase(), true],
    [typed('text'), '5', 5, true],
    [typed('bool'), 't', true, true],
  ])('finds %o with %s by %s: %s', (column, text, wanted, found) => {
    const filter = new RowFilter(filterValues([column], { c: [wanted, null] }));
    expect(filter.matches(() => toBson(column.type, text, 'exact'))).toBe(found);
    expect(filter.matches(() => null)).toBe(true);
  });

  it.each<[Column, Scalar, RegExp]>([
    [typed('timestamptz'), 'yesterday', /the column c .*"yesterday" .*an instant such as/],
    [typed('timestamptz', { precision: 3 }), '2026-01-31T12:00:00.1234Z', /milliseconds, and no more/],
    [typed('date'), '2026-01-31T00:00:00Z', /a day such as/],
    [typed('time'), '12:00', /a time such as 12:00:00/],
    [typed('time'), '12:00:00.250', /a time such as/],
    [typed('int4'), 'five', /a number/],
    [typed('bool'), 'true', /true or false/],
    [typed('text'), true, /a text/],
    [typed('uuid'), 'x', /a UUID/],
    [typed('jsonb'), '{}', /cannot be filtered/],
    ...['inet', 'interval', 'timetz', 'bit', 'xml', 'bytea'].map((name): [Column, Scalar, RegExp] => [
      typed(name),
      '1',
      /cannot be filtered/,
    ]),
    [typed('int4range', { kind: 'range' }), '[1,2]', /cannot be filtered/],
    [typed('_int4', { kind: 'array' }), 1, /cannot be filtered/],
  ])('refuses what no row could have: %o, %s', (column, wanted, message) => {
    expect(() => filterValues([column], { c: wanted })).toThrow(message);
  });
});
