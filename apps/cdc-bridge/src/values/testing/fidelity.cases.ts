import { Binary, Decimal128, Double, Int32, Long, UUID } from 'mongodb';
import type { BsonValue } from '../bson-value.js';
import type { Fidelity } from '../postgres-type.js';

/**
 * Each row: a type as SQL writes it, a literal, and the BSON value that stands for it in MongoDB, from which
 * Postgres must get the same value again. Without a fidelity it holds for both.
 */
export interface FidelityCase {
  readonly type: string;
  readonly literal: string;
  readonly bson: BsonValue;
  readonly fidelity?: Fidelity;
}

/** Types that the cases use, made beside them. */
export const CASE_TYPES = `
create extension hstore; create extension citext; create extension ltree; create extension cube;
create type mood as enum ('sad', 'ok', 'it''s "fine"');
create domain cents as numeric(10,2) check (value >= 0);
create domain tag as text;
create type point3 as (x int, y int, label text)`;

const decimal = (text: string) => Decimal128.fromString(text);
const uuid = '018f3c00-0000-7000-8000-00000000000a';
const wide = '12345678901234567890123456789012345678.5';

function of(
  type: string,
  ...rows: [literal: string, bson: BsonValue, fidelity?: Fidelity][]
): FidelityCase[] {
  return rows.map(([literal, bson, fidelity]) => ({ type, literal, bson, ...(fidelity && { fidelity }) }));
}

// biome-ignore format: a table
export const FIDELITY_CASES: readonly FidelityCase[] = [
  ...of('int2', ['-32768', new Int32(-32768)]),
  ...of('int4', ['2147483647', new Int32(2147483647)], ['0', new Int32(0)]),
  ...of('int8', ['9223372036854775807', Long.MAX_VALUE], ['-9223372036854775808', Long.MIN_VALUE], ['5', Long.fromNumber(5)]),
  ...of('numeric(10,2)', ['12.50', decimal('12.50')], ['0.00', decimal('0.00')], ['-99999999.99', decimal('-99999999.99')], ['NaN', decimal('NaN')]),
  ...of('numeric(34,34)', ['0.1234567890123456789012345678901234', decimal('0.1234567890123456789012345678901234')]),
  ...of('numeric(5,-2)', ['1234500', decimal('1234500')]),
  ...of('numeric(40,1)', [wide, wide], ['1.0', '1.0']),
  ...of('numeric', ['1.50', '1.50'], ['Infinity', 'Infinity'], ['-Infinity', '-Infinity'], ['NaN', 'NaN'], ['1e40', `1${'0'.repeat(40)}`]),
  ...of('float4', ['0.1', new Double(0.1)], ['16777217', new Double(16777216)], ['NaN', new Double(Number.NaN)], ['1e-45', new Double(1e-45)], ['0.12345679', new Double(0.12345679)]),
  ...of('float8', ['5', new Double(5)], ['-0', new Double(-0)], ['1e300', new Double(1e300)], ['Infinity', new Double(Number.POSITIVE_INFINITY)], ['5e-324', new Double(5e-324)]),
  ...of('money', ['1234.56', decimal('1234.56')], ['-92233720368547758.08', decimal('-92233720368547758.08')]),
  ...of('boolean', ['true', true], ['false', false]),
  ...of('text', ['', ''], ['it\'s "é" 😀\n\\', 'it\'s "é" 😀\n\\'], ['NULL', 'NULL'], ['{1}', '{1}']),
  ...of('varchar(5)', ['abc  ', 'abc  ']),
  ...of('char(5)', ['abc', 'abc']),
  ...of('bytea', ['\\x', new Binary(Buffer.alloc(0))], ['\\x00ff5c22', new Binary(Buffer.from([0, 255, 92, 34]))]),
  ...of('uuid', [uuid, new UUID(uuid)]),
  ...of('date', ['2024-02-29', '2024-02-29'], ['0044-03-15 BC', '0044-03-15 BC'], ['infinity', 'infinity'], ['5874897-12-31', '5874897-12-31']),
  ...of('time', ['23:59:59.999999', '23:59:59.999999'], ['24:00:00', '24:00:00']),
  ...of('timetz', ['12:00:00.5+05:30', '12:00:00.5+05:30'], ['24:00:00-15:59', '24:00:00-15:59']),
  ...of('timestamp(3)', ['1969-12-31 23:59:59.999', new Date(-1)], ['0044-03-15 12:00:00 BC', new Date('-000043-03-15T12:00:00Z')], ['12345-01-01 00:00:00', new Date('+012345-01-01T00:00:00Z')]),
  ...of('timestamptz(0)', ['2024-06-01 12:00:00+02', new Date('2024-06-01T10:00:00Z')], ['0001-01-01 00:00:00+00', new Date('0001-01-01T00:00:00Z')]),
  ...of('timestamp', ['2024-06-01 12:00:00.123456', '2024-06-01T12:00:00.123456', 'exact'], ['infinity', 'infinity', 'exact'], ['0044-03-15 12:00:00 BC', '0044-03-15T12:00:00 BC', 'exact']),
  ...of('timestamptz', ['2024-06-01 12:00:00.123456+02', '2024-06-01T10:00:00.123456Z', 'exact'], ['-infinity', '-infinity', 'exact'], ['294276-12-31 23:59:59.999999+00', '294276-12-31T23:59:59.999999Z', 'exact'], ['0044-03-15 12:00:00+00 BC', '0044-03-15T12:00:00Z BC', 'exact'], ['2024-06-01 12:00:00.123+00', new Date('2024-06-01T12:00:00.123Z'), 'paired']),
  ...of('interval', ['1 year 2 mons -3 days 04:05:06.789', 'P1Y2M-3DT4H5M6.789S'], ['0', 'PT0S'], ['infinity', 'infinity'], ['-infinity', '-infinity']),
  ...of('interval day to hour', ['1 year -3 days 04:00:00', 'P1Y-3DT4H'], ['-infinity', '-infinity']),
  ...of('jsonb',
    ['{"a": {"": "x"}, "__proto__": {"y": true}}', JSON.parse('{"a": {"": "x"}, "__proto__": {"y": true}}') as BsonValue],
    ['{"n": 9007199254740993}', { n: Long.fromString('9007199254740993') }],
    ['[5, 5.0, 0.1, 1234567890.1234567890123456]', [new Int32(5), new Double(5), new Double(0.1), decimal('1234567890.1234567890123456')]],
    ['"text"', 'text'], ['{"a.b": 1, "$set": {"x": false}}', { 'a.b': new Int32(1), $set: { x: false } }],
  ),
  ...of('json', ['{"z":1,"a":[]}', { z: new Int32(1), a: [] }]),
  ...of('int4[]', ['{1,NULL,3}', [new Int32(1), null, new Int32(3)]], ['{}', []], ['{{1,2},{3,4}}', [[new Int32(1), new Int32(2)], [new Int32(3), new Int32(4)]]]),
  ...of('uuid[]', [`{${uuid},NULL}`, [new UUID(uuid), null]]),
  ...of('numeric(10,2)[]', ['{1.50,NaN,NULL}', [decimal('1.50'), decimal('NaN'), null]]),
  ...of('text[]', ['{"a,b","NULL",NULL,"q\\"\\\\",""}', ['a,b', 'NULL', null, 'q"\\', '']], ['{{a,b},{c,NULL}}', [['a', 'b'], ['c', null]]]),
  ...of('bool[]', ['{t,f,NULL}', [true, false, null]]),
  ...of('bytea[]', ['{"\\\\x01ff"}', [new Binary(Buffer.from([1, 255]))]]),
  ...of('timestamptz(3)[]', ['{"2024-06-01 12:00:00.5+00"}', [new Date('2024-06-01T12:00:00.5Z')]]),
  ...of('jsonb[]', ['{"{\\"a\\": [1]}",NULL,"[2]"}', [{ a: [new Int32(1)] }, null, [new Int32(2)]]]),
  ...of('money[]', ['{1.50}', [decimal('1.50')]]),
  ...of('box[]', ['{(1,1),(0,0);(2,2),(1,1)}', '{(1,1),(0,0);(2,2),(1,1)}']),
  ...of('mood', ['it\'s "fine"', 'it\'s "fine"']),
  ...of('mood[]', ['{sad,ok}', ['sad', 'ok']]),
  ...of('cents', ['3.10', decimal('3.10')]),
  ...of('cents[]', ['{3.10}', [decimal('3.10')]]),
  ...of('tag', ['x', 'x']),
  ...of('point3', ['(1,2,"a,b")', '(1,2,"a,b")']),
  ...of('inet', ['10.0.0.1', '10.0.0.1/32'], ['2001:db8::1/64', '2001:db8::1/64']),
  ...of('cidr', ['10.0.0.0/8', '10.0.0.0/8']),
  ...of('bit(3)', ['101', '101']),
  ...of('varbit', ['10', '10']),
  ...of('int4range', ['[1,5)', '[1,5)'], ['empty', 'empty']),
  ...of('tstzrange', ['["2024-01-01 00:00:00+00",)', '["2024-01-01 00:00:00+00",)']),
  ...of('nummultirange', ['{[1,2),(3.5,)}', '{[1,2),(3.5,)}']),
  ...of('hstore', ['a=>1, "b\\"c"=>NULL, "__proto__"=>"x, y"', JSON.parse('{"a": "1", "b\\"c": null, "__proto__": "x, y"}') as BsonValue], ['', {}]),
  ...of('xml', ['<a b="c">d</a>', '<a b="c">d</a>'], ['text &amp; <!-- all -->', 'text &amp; <!-- all -->']),
  ...of('point', ['(1,2)', '(1,2)']),
  ...of('lseg', ['[(1,2),(3,4)]', '[(1,2),(3,4)]']),
  ...of('line', ['{1,-1,0.5}', '{1,-1,0.5}']),
  ...of('box', ['(3,4),(1,2)', '(3,4),(1,2)']),
  ...of('path', ['[(1,2),(3,4)]', '[(1,2),(3,4)]'], ['((1,2),(3,4))', '((1,2),(3,4))']),
  ...of('polygon', ['((0,0),(1,0),(0,1))', '((0,0),(1,0),(0,1))']),
  ...of('circle', ['<(1,2),3>', '<(1,2),3>']),
  ...of('macaddr', ['08:00:2b:01:02:03', '08:00:2b:01:02:03']),
  ...of('macaddr8', ['08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03:04:05']),
  ...of('tsvector', ["'a':1A,5 'it''s':2B", "'a':1A,5 'it''s':2B"]),
  ...of('tsquery', ["'a' & !'b c':*A", "'a' & !'b c':*A"]),
  ...of('pg_lsn', ['16/B374D848', '16/B374D848']),
  ...of('pg_snapshot', ['10:20:10,14,15', '10:20:10,14,15']),
  ...of('txid_snapshot', ['10:20:10,14,15', '10:20:10,14,15']),
  ...of('xid8', ['18446744073709551615', '18446744073709551615']),
  ...of('oid', ['4294967295', '4294967295'], ['0', '0']),
  ...of('regclass', ['pg_class', 'pg_class']),
  ...of('"char"', ['a', 'a'], ['\\351', '\\351'], ['', '']),
  ...of('name', ['a "name" é', 'a "name" é']),
  ...of('citext', ['MiXed é', 'MiXed é']),
  ...of('ltree', ['Top.Science', 'Top.Science']),
  ...of('cube', ['(1, 2),(3, 4)', '(1, 2),(3, 4)']),
  ...of('jsonpath', ['$."a"[*]?(@ > 1)', '$."a"[*]?(@ > 1)']),
  ...of('int8range', ['[1,5)', '[1,5)']),
  ...of('numrange', ['(1.50,)', '(1.50,)']),
  ...of('daterange', ['[2024-01-01,infinity]', '[2024-01-01,infinity]']),
  ...of('tsrange', ['["2024-01-01 00:00:00.123456",)', '["2024-01-01 00:00:00.123456",)']),
  ...of('int4multirange', ['{[1,3),[5,)}', '{[1,3),[5,)}'], ['{}', '{}']),
  ...of('tstzmultirange', ['{["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")}', '{["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")}']),
  ...of('macaddr[]', ['{08:00:2b:01:02:03,NULL}', ['08:00:2b:01:02:03', null]]),
  ...of('oid[]', ['{1,4294967295}', ['1', '4294967295']]),
  ...of('point[]', ['{"(1,2)",NULL}', ['(1,2)', null]]),
  ...of('citext[]', ['{A,b}', ['A', 'b']]),
  ...of('xml[]', ['{<a/>}', ['<a/>']]),
  ...of('tsvector[]', ["{'a':1}", ["'a':1"]]),
  ...of('int4range[]', ['{"[1,5)"}', ['[1,5)']]),
  ...of('varchar(3)[]', ['{abc}', ['abc']]),
  ...of('date[]', ['{2024-02-29,infinity,"0044-03-15 BC"}', ['2024-02-29', 'infinity', '0044-03-15 BC']]),
  ...of('hstore[]', ['{"\\"a\\"=>\\"1\\""}', [{ a: '1' }]]),
];
