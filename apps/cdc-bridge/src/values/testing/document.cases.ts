import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import type { BsonValue } from '../bson-value.js';

/** A value of MongoDB's, and what stands for it in Postgres. */
export interface DocumentCase {
  readonly bson: BsonValue;
  /** As `jsonb` prints it. */
  readonly json: string;
  /** What is read of that, where a number's kind is not kept. */
  readonly back?: BsonValue;
  /** What columns of a type get, as Postgres prints it; null where they refuse the value. */
  readonly columns: Readonly<Record<string, string | null>>;
}

const decimal = (text: string) => Decimal128.fromString(text);
const binary = (
  subtype: number,
  base64: string,
  columns: DocumentCase['columns'] = { bytea: null, uuid: null },
) => ({
  bson: new Binary(Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex'), subtype),
  json: `{"$binary": {"base64": "${base64}", "subType": "${subtype.toString(16).padStart(2, '0')}"}}`,
  columns,
});
const SIXTEEN = 'AQIDBAUGBwgJCgsMDQ4PEA==';
const NONE = { text: null, int8: null, numeric: null, timestamptz: null, bytea: null };

// biome-ignore format: a table
export const DOCUMENT_CASES: readonly DocumentCase[] = [
  { bson: new Int32(5), json: '5', columns: { int2: '5', int4: '5', 'numeric(10,2)': '5.00', float4: '5', text: null, boolean: null } },
  { bson: Long.fromNumber(5), json: '5', back: new Int32(5), columns: { int2: '5', int8: '5', float8: '5', money: '5.00', text: null } },
  { bson: Long.fromString('9007199254740993'), json: '9007199254740993', columns: { int8: '9007199254740993', numeric: '9007199254740993', int4: null, float8: null } },
  { bson: new Double(5), json: '5.0', columns: { int4: '5', float8: '5', numeric: '5', text: null } },
  { bson: new Double(2.5), json: '2.5', columns: { int4: null, float4: '2.5', 'numeric(10,2)': '2.50' } },
  { bson: new Double(1e300), json: `1${'0'.repeat(300)}`, columns: { float8: '1e+300', float4: null, int8: null, 'numeric(10,2)': null } },
  { bson: new Double(-0), json: '{"$numberDouble": "-0.0"}', columns: { float8: '-0', float4: '-0', numeric: '0', int4: '0' } },
  { bson: new Double(Number.NaN), json: '{"$numberDouble": "NaN"}', columns: { float8: 'NaN', numeric: 'NaN', 'numeric(10,2)': 'NaN', int4: null, money: null } },
  { bson: new Double(Number.NEGATIVE_INFINITY), json: '{"$numberDouble": "-Infinity"}', columns: { float8: '-Infinity', numeric: '-Infinity', 'numeric(10,2)': null, int8: null, money: null } },
  { bson: decimal('1.50'), json: '1.50', back: new Double(1.5), columns: { numeric: '1.50', 'numeric(10,2)': '1.50', float8: '1.5', money: '1.50', int4: null, text: null } },
  { bson: decimal('1234567890123456789012345678901.234'), json: '1234567890123456789012345678901.234', columns: { numeric: '1234567890123456789012345678901.234', float8: null, 'numeric(10,2)': null } },
  { bson: decimal('NaN'), json: '{"$numberDecimal": "NaN"}', columns: { numeric: 'NaN', 'numeric(10,2)': 'NaN', float8: 'NaN', int4: null, text: null } },
  { bson: decimal('Infinity'), json: '{"$numberDecimal": "Infinity"}', columns: { numeric: 'Infinity', 'numeric(10,2)': null, float8: 'Infinity', int8: null } },
  { bson: decimal('-0.00'), json: '{"$numberDecimal": "-0.00"}', columns: { numeric: '0.00', float8: '-0', int4: '0' } },
  { bson: new Date(5), json: '{"$date": {"$numberLong": "5"}}', columns: { timestamptz: '1970-01-01 00:00:00.005+00', timestamp: '1970-01-01 00:00:00.005', 'timestamp(0)': null, date: null, text: null, int8: null } },
  { bson: new Date(8.64e15), json: '{"$date": {"$numberLong": "8640000000000000"}}', columns: { timestamptz: '275760-09-13 00:00:00+00', timestamp: '275760-09-13 00:00:00' } },
  { bson: new Date('-000043-03-15T12:00:00Z'), json: '{"$date": {"$numberLong": "-63517780800000"}}', columns: { timestamptz: '0044-03-15 12:00:00+00 BC' } },
  { bson: new Date(-8.64e15), json: '{"$date": {"$numberLong": "-8640000000000000"}}', columns: { timestamptz: null, timestamp: null } },
  { bson: new ObjectId('65f0c0ffee00000000000001'), json: '{"$oid": "65f0c0ffee00000000000001"}', columns: { text: '65f0c0ffee00000000000001', 'varchar(3)': null, bytea: null } },
  { bson: new Timestamp({ t: 4294967295, i: 2 }), json: '{"$timestamp": {"i": 2, "t": 4294967295}}', columns: NONE },
  { bson: new BSONRegExp('^a\\d"', 'im'), json: '{"$regularExpression": {"options": "im", "pattern": "^a\\\\d\\""}}', columns: NONE },
  { bson: new Code('f("x")'), json: '{"$code": "f(\\"x\\")"}', columns: NONE },
  { bson: new Code('f()', { a: new Int32(1), b: { c: new Double(2) } }), json: '{"$code": "f()", "$scope": {"a": {"$numberInt": "1"}, "b": {"c": {"$numberDouble": "2.0"}}}}', columns: NONE },
  { bson: new BSONSymbol('s'), json: '{"$symbol": "s"}', columns: NONE },
  { bson: new MinKey(), json: '{"$minKey": 1}', columns: NONE },
  { bson: new MaxKey(), json: '{"$maxKey": 1}', columns: NONE },
  binary(0, SIXTEEN, { bytea: '\\x0102030405060708090a0b0c0d0e0f10', uuid: null, text: null }),
  ...[1, 2, 3, 5, 6, 7, 8, 0x80, 0xff].map((subtype) => binary(subtype, SIXTEEN)),
  { bson: new UUID('018f3c00-0000-7000-8000-00000000000a'), json: '{"$binary": {"base64": "AY88AAAAcACAAAAAAAAACg==", "subType": "04"}}', columns: { uuid: '018f3c00-0000-7000-8000-00000000000a', bytea: null, text: null } },
  { bson: [new Int32(1), 'a', null, { b: [] }], json: '[1, "a", null, {"b": []}]', columns: { 'int4[]': null, 'text[]': null, 'jsonb[]': '{1,"\\"a\\"",NULL,"{\\"b\\": []}"}', text: null } },
  { bson: [new Int32(1), Long.fromNumber(2), new Double(3), null], json: '[1, 2, 3.0, null]', back: [new Int32(1), new Int32(2), new Double(3), null], columns: { 'int4[]': '{1,2,3,NULL}', 'text[]': null } },
  { bson: [[new Int32(1)], [new Int32(2)]], json: '[[1], [2]]', columns: { 'int4[]': '{{1},{2}}' } },
  { bson: [], json: '[]', columns: { 'int4[]': '{}', 'jsonb[]': '{}', jsonb: '[]' } },
  { bson: { '': 'x', a: { b: {} }, 'a.b': null, $set: { $inc: 'y' } }, json: '{"": "x", "a": {"b": {}}, "a.b": null, "$set": {"$inc": "y"}}', columns: { text: null, hstore: null, 'jsonb[]': null } },
  { bson: { a: '1', b: null }, json: '{"a": "1", "b": null}', columns: { hstore: '"a"=>"1", "b"=>NULL' } },
  { bson: true, json: 'true', columns: { boolean: 'true', text: null, int4: null, jsonb: 'true' } },
  { bson: 'it\'s "é" 😀\\', json: '"it\'s \\"é\\" 😀\\\\"', columns: { text: 'it\'s "é" 😀\\', 'varchar(3)': null, int4: null, boolean: null, uuid: null, timestamptz: null, bytea: null } },
  { bson: 'x'.repeat(70), json: `"${'x'.repeat(70)}"`, columns: { name: null, '"char"': null, 'varchar(3)': null, 'char(3)': null, 'varchar(3)[]': null } },
  { bson: '1010', json: '"1010"', columns: { 'bit(4)': '1010', 'bit(3)': null, varbit: '1010', 'varbit(3)': null, name: '1010', '"char"': null } },
];
