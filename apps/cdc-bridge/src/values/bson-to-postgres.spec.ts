import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { toPostgres } from './bson-to-postgres.js';
import type { BsonValue } from './bson-value.js';
import { toBson } from './postgres-to-bson.js';
import { type Fidelity, loss, type PostgresType } from './postgres-type.js';
import { ValueFault } from './value.fault.js';

const base = (name: string, modifiers: Partial<PostgresType> = {}): PostgresType => ({
  name,
  kind: 'base',
  ...modifiers,
});
const arrayOf = (of: PostgresType): PostgresType => ({ name: `_${of.name}`, kind: 'array', of });
const numeric = (precision?: number, scale?: number) =>
  base('numeric', { ...(precision !== undefined && { precision, scale: scale ?? 0 }) });
const oid = new ObjectId('65f0c0ffee00000000000001');

describe('toPostgres', () => {
  it.each<[PostgresType, BsonValue, string]>([
    [base('int4'), new Double(5), '5'],
    [base('int8'), Decimal128.fromString('1.20E+3'), '1200'],
    [base('int2'), Long.fromNumber(-5), '-5'],
    [base('int4'), new Double(-0), '0'],
    [base('float8'), new Int32(5), '5'],
    [base('float4'), Decimal128.fromString('0.1'), '0.1'],
    [numeric(10, 2), new Double(12.5), '12.5'],
    [numeric(10, 2), new Int32(3), '3'],
    [numeric(), '123.456', '123.456'],
    [base('text'), oid, '65f0c0ffee00000000000001'],
    [base('timestamptz'), '2026-01-01T00:00:00.123456000Z', '2026-01-01T00:00:00.123456000Z'],
    [base('uuid'), '018f3c00-0000-7000-8000-00000000000a', '018f3c00-0000-7000-8000-00000000000a'],
    [base('timestamp', { precision: 0 }), new Date(1000), '1970-01-01T00:00:01.000Z'],
    [base('timestamptz'), new Date('-000043-03-15T12:00:00Z'), '0044-03-15T12:00:00.000Z BC'],
    [base('timestamp'), '2026-01-05', '2026-01-05'],
    [base('timestamp'), '2026-01-05T12:00:00+00:00', '2026-01-05T12:00:00+00:00'],
    [base('timestamptz'), '2026-01-05T12:00:00+02', '2026-01-05T12:00:00+02'],
    [base('timetz'), '12:00:00-05:30', '12:00:00-05:30'],
    [base('varchar', { length: 3 }), 'ab ', 'ab '],
    [base('varchar'), 'ab    ', 'ab    '],
    [base('varchar', { length: 3 }), '😀😀😀', '😀😀😀'],
    [base('bpchar', { length: 3 }), 'ab    ', 'ab    '],
    [base('bpchar'), 'abcdef', 'abcdef'],
    [base('bit', { length: 4 }), 'x5', 'x5'],
    [base('varbit', { length: 3 }), 'b10', 'b10'],
    [base('name'), 'x'.repeat(63), 'x'.repeat(63)],
    [base('char'), '\\351', '\\351'],
    [base('interval', { precision: 1 }), 'PT1.5S', 'PT1.5S'],
    [base('interval', { lastField: 'day' }), 'P1Y2M-3D', 'P1Y2M-3D'],
    [base('interval', { lastField: 'month' }), 'PT0S', 'PT0S'],
    [base('interval', { lastField: 'day' }), '-infinity', '-infinity'],
    [base('interval', { lastField: 'minute' }), 'P1DT2H3M', 'P1DT2H3M'],
    [base('json'), 'a\0b', '"a\\u0000b"'],
    [base('jsonb'), 'a\\u0000b', '"a\\\\u0000b"'],
    [{ name: 'money_in', kind: 'domain', of: numeric(10, 2) }, new Int32(3), '3'],
  ])('gives a column of type %o the value %o', (type, value, text) => {
    expect(toPostgres(type, value, 'exact')).toBe(text);
  });

  it.each<[PostgresType, BsonValue]>([
    [base('int4'), new Double(5.5)],
    [base('int4'), Long.fromNumber(2 ** 31)],
    [base('int8'), Decimal128.fromString('1E+6000')],
    [base('int8'), Decimal128.fromString('NaN')],
    [base('int4'), '5'],
    [base('float4'), new Double(0.1234567890123)],
    [base('float8'), Long.fromString('9007199254740993')],
    [base('float8'), Decimal128.fromString('1E+400')],
    [numeric(10, 2), new Double(1.234)],
    [numeric(10, 2), '1.23'],
    [base('money'), new Double(0.001)],
    [base('bool'), new Int32(1)],
    [base('text'), new Int32(1)],
    [base('text'), 'a\0b'],
    [base('text'), { a: 'b' }],
    [base('bytea'), new UUID()],
    [base('uuid'), new Binary(Buffer.alloc(16), 0)],
    [base('timestamp'), '2026-01-05T12:00:00+02:00'],
    [base('timestamp'), '2026-01-05 12:00:00.5 -0530'],
    [base('time'), '12:00+02'],
    [base('varchar', { length: 3 }), 'abc '],
    [base('varchar', { length: 3 }), 'abcd'],
    [arrayOf(base('varchar', { length: 3 })), ['abc', 'abcd']],
    [{ name: 'code', kind: 'domain', of: base('bpchar', { length: 3 }) }, 'abcd'],
    [base('bit', { length: 3 }), '1010'],
    [base('bit', { length: 3 }), '10'],
    [base('varbit', { length: 3 }), 'xF'],
    [base('name'), 'é'.repeat(32)],
    [base('char'), 'ab'],
    [base('char'), 'é'],
    [base('interval', { precision: 0 }), 'PT1.5S'],
    [base('interval', { lastField: 'year' }), 'P1Y2M'],
    [base('interval', { lastField: 'month' }), 'P1Y2M3D'],
    [base('interval', { lastField: 'day' }), 'P1DT2H'],
    [base('interval', { lastField: 'hour' }), 'P1DT2H-3M'],
    [base('interval', { lastField: 'minute' }), 'PT0.5S'],
    [base('interval', { lastField: 'day' }), '1 day 02:00:00'],
    [base('timestamptz', { precision: 0 }), new Date(1)],
    [base('timestamptz'), new Date(Number.NaN)],
    [base('timestamptz'), new Timestamp({ t: 1, i: 1 })],
    [base('timestamptz'), '2026-01-01T00:00:00.123456789Z'],
    [base('timestamp', { precision: 0 }), '2026-01-01T00:00:00.5'],
    [base('timestamptz'), 'now'],
    [base('timestamptz'), '2026-01-01T00:00:00 Europe/Berlin'],
    [base('date'), 'today'],
    [base('date'), '2026-01-01T12:00:00Z'],
    [base('time'), '12:00:00.1234567'],
    [base('time'), 'allballs'],
    [base('interval'), 'PT0.1234567S'],
    [base('jsonb'), { a: 'b\0' }],
    [base('jsonb'), { $oid: 'a user’s own' }],
    [base('hstore'), { a: new Int32(1) }],
    [base('hstore'), ['a']],
    [arrayOf(base('int4')), [new Int32(1), 'two']],
    [arrayOf(base('int4')), [[new Int32(1)], [new Int32(2), new Int32(3)]]],
    [arrayOf(base('int4')), [new Int32(1), [new Int32(2)]]],
    [arrayOf(base('int4')), [[]]],
    [arrayOf(base('int4')), new Int32(1)],
  ])('refuses to give a column of type %o the value %o', (type, value) => {
    expect(() => toPostgres(type, value, 'exact')).toThrow(ValueFault);
  });

  it.each<[PostgresType, BsonValue, string]>([
    [numeric(10, 2), new Double(1.234), '1.234'],
    [base('timestamptz', { precision: 0 }), new Date(1), '1970-01-01T00:00:00.001Z'],
    [base('float4'), new Double(0.1234567890123), '0.1234567890123'],
  ])('lets Postgres round in a pair: %o %o', (type, value, text) => {
    expect(toPostgres(type, value, 'paired')).toBe(text);
  });

  it('does not turn an ObjectId into text in a pair, where the text would replace it', () => {
    expect(() => toPostgres(base('text'), oid, 'paired')).toThrow(ValueFault);
  });
});

describe('a nested document in jsonb', () => {
  it('keeps the types that JSON lacks, there and back', () => {
    const value: BsonValue = {
      oid,
      at: new Date(5),
      far: new Date(8.64e15),
      amount: Decimal128.fromString('1.2345678901234567890'),
      nan: new Double(Number.NaN),
      zero: new Double(-0),
      five: new Double(5),
      long: Long.MAX_VALUE,
      bytes: new Binary(Buffer.from([1]), 5),
      stamp: new Timestamp({ t: 1, i: 2 }),
      mixed: [null, new Int32(1), 'a', { b: [] }],
    };
    const text = toPostgres(base('jsonb'), value, 'paired');
    expect(toBson(base('jsonb'), text, 'paired')).toEqual(value);
  });

  it('takes a Postgres user’s own JSON for what it is, one way', () => {
    const own = toBson(base('jsonb'), '{"$oid": "65f0c0ffee00000000000001"}', 'exact');
    expect(own).toEqual({ $oid: '65f0c0ffee00000000000001' });
  });
});

describe('toBson', () => {
  const tooWide = '1234567890123456789012345678901234567890.5';

  it.each<[PostgresType, string, Fidelity]>([
    [base('timestamptz'), 'infinity', 'paired'],
    [base('timestamp', { precision: 3 }), '294276-01-01 00:00:00', 'exact'],
    [base('timestamptz', { precision: 3 }), '2024-06-01 12:00:00.123456+00', 'exact'],
    [base('jsonb'), `[${tooWide}]`, 'exact'],
    [base('json'), '{"a": 1, "a": 2}', 'exact'],
    [base('json'), '{"a\\u0000": 1}', 'exact'],
    [arrayOf(base('int4')), '[0:1]={1,2}', 'exact'],
    [arrayOf(base('jsonb')), '{{"1"},{"2"}}', 'exact'],
  ])('refuses what BSON cannot hold: %o %s', (type, text, fidelity) => {
    expect(() => toBson(type, text, fidelity)).toThrow(ValueFault);
  });

  it('floors microseconds in a pair, before 1970 too', () => {
    const at = (text: string) => toBson(base('timestamptz'), text, 'paired');
    expect(at('2024-06-01 12:00:00.123999+00')).toEqual(new Date('2024-06-01T12:00:00.123Z'));
    expect(at('1969-12-31 23:59:59.999999+00')).toEqual(new Date(-1));
  });

  it('tells in words what a column cannot keep', () => {
    expect(loss(base('timestamptz'), 'paired')).toMatch('microseconds are floored');
    expect(loss(base('timestamptz'), 'exact')).toMatch('string');
    expect(loss(numeric(40, 2), 'exact')).toMatch('string');
    expect(loss(numeric(10, 2), 'exact')).toBeNull();
    expect(loss(arrayOf(base('jsonb')), 'exact')).toMatch('34 digits');
  });
});
