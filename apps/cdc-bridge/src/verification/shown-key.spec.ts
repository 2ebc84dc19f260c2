import { Int32, Long, ObjectId, UUID } from 'mongodb';
import { expect, it } from 'vitest';
import type { BsonValue } from '../values/bson-value.js';
import { shownKey } from './shown-key.js';

const uuid = '0193f8a2-7c4e-7abc-8def-0123456789ab';
const oid = '64b7f0c2a1b2c3d4e5f60718';

it.each<[BsonValue, string]>([
  [new Int32(3), '3'],
  [Long.fromNumber(-7), '-7'],
  ['sku-1', '"sku-1"'],
  [new UUID(uuid), `"${uuid}"`],
  [new ObjectId(oid), `{"$oid":"${oid}"}`],
  [{ order: new Int32(1), line: 'b' }, '{"order":1,"line":"b"}'],
  [null, 'null'],
])('the _id %j is shown as %s', (_id, expected) => {
  expect(shownKey({ text: 'canonical', fields: { _id } })).toBe(expected);
});

it('the key of a row is shown by its texts', () => {
  expect(shownKey({ text: '["7"]', fields: { id: new Int32(7) } })).toBe('["7"]');
});
