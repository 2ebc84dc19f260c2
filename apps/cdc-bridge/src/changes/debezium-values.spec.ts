import { parseSchema } from '@millrace/schemas';
import { describe, expect, it } from 'vitest';
import type { PostgresType } from '../values/postgres-type.js';
import { DOUBTFUL, toldText, UNCHANGED } from './debezium-values.js';
import { rowFieldsOf, type WrittenType } from './row-fields.js';
import { UNAVAILABLE_VALUE } from './unavailable-value.js';

const type = (name: string, more: Partial<PostgresType> = {}): PostgresType => ({
  name,
  kind: 'base',
  ...more,
});
const array = (of: PostgresType): PostgresType => ({ name: `_${of.name}`, kind: 'array', of });
const tags: PostgresType = { name: 'tags', kind: 'domain', of: array(type('text')) };
const written = (avro: string, meaning?: string, items?: WrittenType): WrittenType => ({
  avro,
  meaning,
  ...(items && { items }),
});
const MICROS = written('long', 'io.debezium.time.MicroTimestamp');
const DATE = written('int', 'io.debezium.time.Date');

/** What Debezium 3.7 was seen to write, and what Postgres prints. */
// biome-ignore format: a table
const TOLD: [PostgresType, WrittenType, unknown, unknown][] = [
  [type('numeric'), written('string'), 'NAN', 'NaN'],
  [type('numeric'), written('string'), 'NEGATIVE_INFINITY', '-Infinity'],
  [type('numeric', { precision: 5, scale: -2 }), written('string'), '1234500.0000', '1234500'],
  [type('float4'), written('float'), 0.10000000149011612, '0.1'],
  [type('float8'), written('double'), -0, '-0'],
  [type('bpchar'), written('string'), 'abc  ', 'abc'],
  [type('inet'), written('string'), '10.0.0.1', '10.0.0.1/32'],
  [type('inet'), written('string'), '::1', '::1/128'],
  [type('time'), written('long', 'io.debezium.time.MicroTime'), 86_400_000_000n, '24:00:00'],
  [type('timestamp'), MICROS, -1n, '1969-12-31 23:59:59.999999'],
  [type('timestamp', { precision: 3 }), written('long', 'io.debezium.time.Timestamp'), 500n, '1970-01-01 00:00:00.5'],
  [type('timestamptz'), written('string', 'io.debezium.time.ZonedTimestamp'), '2024-06-01T10:00:00.120000Z', '2024-06-01 10:00:00.12+00'],
  [type('interval'), written('string', 'io.debezium.time.Interval'), 'P0Y-1M0DT0H0M10.000001S', 'P-1MT10.000001S'],
  [type('interval'), written('string', 'io.debezium.time.Interval'), 'P10Y0M100DT0H0M0S', 'P10Y100D'],
  [type('hstore'), written('string', 'io.debezium.data.Json'), '{"a":"1","\\"":null}', '"a"=>"1", "\\""=>NULL'],
  [type('date'), DATE, 19_782, '2024-02-29'],
  [array(type('text')), written('array', undefined, written('string')), ['a', null], '{"a",NULL}'],
  // What stands for infinity, and what is told in two ways.
  [type('date'), DATE, -622_191_234, DOUBTFUL],
  [type('date'), DATE, -141_422, DOUBTFUL],
  [type('timestamp'), MICROS, 9_223_372_036_854_775_807n, DOUBTFUL],
  [type('timestamptz'), written('string', 'io.debezium.time.ZonedTimestamp'), 'infinity', DOUBTFUL],
  [type('interval'), written('string', 'io.debezium.time.Interval'), 'P0Y0M0DT0H0M0S', DOUBTFUL],
  [type('timetz'), written('string', 'io.debezium.time.ZonedTime'), '06:30:00Z', DOUBTFUL],
  // A null that may stand for a NaN or for what did not change, and two dimensions.
  [array(type('numeric')), written('array', undefined, written('string')), null, DOUBTFUL],
  [array(type('text')), written('array', undefined, written('string')), null, null],
  [array(type('json')), written('array', undefined, written('string')), null, null],
  [tags, written('array', undefined, written('string')), null, DOUBTFUL],
  [{ name: 'own', kind: 'domain', of: tags }, written('array', undefined, written('string')), null, DOUBTFUL],
  [array({ name: 'text', kind: 'enum' }), written('array', undefined, written('string')), null, DOUBTFUL],
  [array(type('int4')), written('array', undefined, written('int')), [null, null], DOUBTFUL],
  [array(type('text')), written('array', undefined, written('string')), ['[Ljava.lang.String;@253d5f85'], DOUBTFUL],
  [type('varbit'), written('bytes'), null, DOUBTFUL],
  // Written before the column had its type.
  [type('timestamp', { precision: 3 }), MICROS, 500n, DOUBTFUL],
  [type('text'), written('int'), 5, DOUBTFUL],
  [type('text'), written('string', 'io.debezium.time.ZonedTimestamp'), '2024-06-01T10:00:00Z', DOUBTFUL],
  // What did not change.
  [type('text'), written('string'), UNAVAILABLE_VALUE, UNCHANGED],
  [type('bytea'), written('bytes'), Buffer.from(UNAVAILABLE_VALUE), UNCHANGED],
  [type('hstore'), written('string', 'io.debezium.data.Json'), `{"${UNAVAILABLE_VALUE}":"${UNAVAILABLE_VALUE}"}`, UNCHANGED],
  [array(type('text')), written('array', undefined, written('string')), [UNAVAILABLE_VALUE], UNCHANGED],
  [array(type('int8')), written('array', undefined, written('long')), [...Buffer.from(UNAVAILABLE_VALUE)].map(BigInt), UNCHANGED],
  [array(type('uuid')), written('array', undefined, written('string', 'io.debezium.data.Uuid')), ['ff03bbb7-5a28-3560-b3e2-9732f245128e'], UNCHANGED],
];

describe('toldText', () => {
  it.each(TOLD)('of %o written as %o %o is %o', (declared, as, value, expected) => {
    expect(toldText(declared, as, value)).toBe(expected);
  });

  it('looks through domains', () => {
    const cents: PostgresType = { name: 'cents', kind: 'domain', of: type('numeric') };
    expect(toldText(cents, written('string'), '3.10')).toBe('3.10');
  });
});

describe('rowFieldsOf', () => {
  it('finds the columns of a row, under the names that they have in Postgres', () => {
    const long = { type: 'long', 'connect.name': 'io.debezium.time.MicroTime', 'connect.version': 1 };
    const fields = [
      { name: 'a_u002db', type: 'int' },
      { name: '_u005f_u00e9', type: ['null', long], default: null },
      { name: 'l', type: ['null', { type: 'array', items: ['null', 'long'] }], default: null },
    ];
    const row = { type: 'record', name: 'Value', fields };
    const envelope = {
      type: 'record',
      name: 'Envelope',
      fields: [
        { name: 'before', type: ['null', row] },
        { name: 'after', type: ['null', 'Value'] },
      ],
    };
    expect([...rowFieldsOf(parseSchema(envelope))]).toEqual([
      ['a-b', { name: 'a_u002db', type: { avro: 'int', meaning: undefined } }],
      ['_é', { name: '_u005f_u00e9', type: { avro: 'long', meaning: 'io.debezium.time.MicroTime' } }],
      [
        'l',
        {
          name: 'l',
          type: { avro: 'array', meaning: undefined, items: { avro: 'long', meaning: undefined } },
        },
      ],
    ]);
  });
});
