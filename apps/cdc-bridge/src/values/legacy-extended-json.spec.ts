import {
  Binary,
  BSON,
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
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { parseLegacyExtendedJson } from './legacy-extended-json.js';
import { ValueFault } from './value.fault.js';

const parsed = (json: string) => parseLegacyExtendedJson(`{"_id": 1, "v": ${json}}`).v;
const OID = '65f0c0ffee00000000000001';

describe('parseLegacyExtendedJson', () => {
  it.each<[string, unknown]>([
    ['5', new Int32(5)],
    ['-2147483648', new Int32(-2147483648)],
    ['5.0', new Double(5)],
    ['1.0E300', new Double(1e300)],
    ['4.9E-324', new Double(5e-324)],
    ['-0.0', new Double(-0)],
    ['NaN', new Double(Number.NaN)],
    ['Infinity', new Double(Number.POSITIVE_INFINITY)],
    ['-Infinity', new Double(Number.NEGATIVE_INFINITY)],
    ['{"$numberLong": "9223372036854775807"}', Long.MAX_VALUE],
    ['{"$numberLong": "-9223372036854775808"}', Long.MIN_VALUE],
    ['{"$numberDecimal": "1.50"}', Decimal128.fromString('1.50')],
    ['{"$numberDecimal": "NaN"}', Decimal128.fromString('NaN')],
    ['{"$numberDecimal": "-Infinity"}', Decimal128.fromString('-Infinity')],
    ['{"$numberDecimal": "9.999999999999999999999999999999999E+6144"}', Decimal128.fromString('9.999999999999999999999999999999999E+6144')],
    ['{"$date": 1700000000123}', new Date(1700000000123)],
    ['{"$date": -62135596800000}', new Date('0001-01-01T00:00:00Z')],
    ['{"$date": 8640000000000000}', new Date(8.64e15)],
    ['{"$binary": "AQI=", "$type": "00"}', new Binary(Buffer.from([1, 2]), 0)],
    ['{"$binary": "AAECAwQFBgcICQoLDA0ODw==", "$type": "04"}', new Binary(Buffer.from([...Array(16).keys()]), 4)],
    ['{"$binary": "", "$type": "80"}', new Binary(Buffer.alloc(0), 0x80)],
    [`{"$oid": "${OID}"}`, new ObjectId(OID)],
    ['{"$regex": "^a\\\\d", "$options": "im"}', new BSONRegExp('^a\\d', 'im')],
    ['{"$timestamp": {"t": 4294967295, "i": 2}}', new Timestamp({ t: 4294967295, i: 2 })],
    ['{"$minKey": 1}', new MinKey()],
    ['{"$maxKey": 1}', new MaxKey()],
    ['{"$symbol": "s"}', new BSONSymbol('s')],
    ['{"$code": "f()"}', new Code('f()')],
    ['{"$code": "f()", "$scope": {"a": 5.0}}', new Code('f()', { a: new Double(5) })],
    ['"a\\"b\\\\"', 'a"b\\'],
    ['"\\u0000\\ud83d\\ude00"', '\u0000😀'],
    ['[1, [2.0, null], {"a": true}]', [new Int32(1), [new Double(2), null], { a: true }]],
    ['{}', {}],
  ])('reads %s', (json, expected) => {
    const value = parsed(json);
    expect(value).toEqual(expected);
    expect(BSON.serialize({ v: value })).toEqual(BSON.serialize({ v: expected }));
  }); // biome-ignore format: a table

  it.each<[string, unknown]>([
    ['{"$oid": "none"}', { $oid: 'none' }],
    [`{"$oid": "${OID}", "note": "mine"}`, { $oid: OID, note: 'mine' }],
    [`{"$oid": {"$oid": "${OID}"}}`, { $oid: new ObjectId(OID) }],
    ['{"$numberLong": 5}', { $numberLong: new Int32(5) }],
    ['{"$numberLong": "9223372036854775808"}', { $numberLong: '9223372036854775808' }],
    ['{"$numberLong": "007"}', { $numberLong: '007' }],
    ['{"$numberDecimal": "dear"}', { $numberDecimal: 'dear' }],
    ['{"$date": "tomorrow"}', { $date: 'tomorrow' }],
    ['{"$date": 1.5}', { $date: new Double(1.5) }],
    ['{"$binary": "not base64", "$type": "00"}', { $binary: 'not base64', $type: '00' }],
    ['{"$type": "00", "$binary": "AQI="}', { $type: '00', $binary: 'AQI=' }],
    ['{"$timestamp": {"t": 1}}', { $timestamp: { t: new Int32(1) } }],
    ['{"$minKey": 2}', { $minKey: new Int32(2) }],
    ['{"$set": {"a": 1}}', { $set: { a: new Int32(1) } }],
    ['{"a.b": 1, "": 2}', { 'a.b': new Int32(1), '': new Int32(2) }],
  ])('leaves the user’s own document %s as it is', (json, expected) => {
    expect(parsed(json)).toEqual(expected);
  });

  it('keeps a field named __proto__ a field', () => {
    const document = parseLegacyExtendedJson('{"_id": 1, "__proto__": {"admin": true}, "constructor": 2}');
    expect(Object.keys(document)).toEqual(['_id', '__proto__', 'constructor']);
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
    expect((document as { admin?: boolean }).admin).toBeUndefined();
    expect(BSON.calculateObjectSize(document)).toBeGreaterThan(40);
  });

  it('never takes the document itself for a type', () => {
    expect(parseLegacyExtendedJson('{"$date": 5}')).toEqual({ $date: new Int32(5) });
  });

  it.each([
    ['{"$date": 8640000000000001}', 'outside'],
    ['{"$undefined": true}', 'undefined'],
    ['{"a": 1, "a": 2}', '"a" twice'],
  ])('refuses what the driver cannot hold: %s', (json, message) => {
    expect(() => parsed(json)).toThrow(ValueFault);
    expect(() => parsed(json)).toThrow(message);
  });

  it.each([
    '',
    '5',
    '[]',
    '{',
    '{"a"}',
    '{"a": }',
    '{"a": 1,}',
    '{"a": 01}',
    '{"a": nan}',
    '{"a": 1} {}',
    '{"a": "\n"}',
    '{"a": "b}',
    '{"a": 2147483648}',
    `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`,
  ])('refuses %j', (text) => {
    expect(() => parseLegacyExtendedJson(text)).toThrow(SyntaxError);
  });
});
