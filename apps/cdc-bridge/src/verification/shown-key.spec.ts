import { Binary, Int32, Long, ObjectId, UUID } from 'mongodb';
import { expect, it } from 'vitest';
import type { BsonValue } from '../values/bson-value.js';
import { shownKey } from './shown-key.js';

const uuid = '0193f8a2-7c4e-7abc-8def-0123456789ab';
const oid = '64b7f0c2a1b2c3d4e5f60718';

it.each<[BsonValue, string]>([
  [new Int32(3), '3'],
  [Long.fromNumber(-7), '-7'],
  [Long.fromString('9007199254740993'), '{"$numberLong":"9007199254740993"}'],
  [new Binary(Buffer.from('odd'), 4), '{"$binary":{"base64":"b2Rk","subType":"04"}}'],
  [{ of: { _bsontype: 'nobody' } }, 'canonical'],
  ['sku-1', '"sku-1"'],
  [new UUID(uuid), `"${uuid}"`],
  [new ObjectId(oid), `{"$oid":"${oid}"}`],
  [{ order: new Int32(1), line: 'b' }, '{"order":1,"line":"b"}'],
  [null, 'null'],
])('the _id %j is shown as %s', (_id, expected) => {
  expect(shownKey({ text: 'canonical', fields: { _id } })).toBe(expected);
});

it.each(['id', '_id'])('the key of a row is shown by its texts, beside %s', (name) => {
  const fields = { [name]: new Int32(7), line: new Int32(1) };
  expect(shownKey({ text: '["7","1"]', fields })).toBe('["7","1"]');
});
