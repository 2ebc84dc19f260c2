import { Binary, UUID } from 'mongodb';
import { expect, it } from 'vitest';
import type { BsonValue } from './bson-value.js';
import { bsonToJson, jsonToBson } from './json-document.js';

it.each<[string, Binary]>([
  ['a UUID', new UUID()],
  ['bytes that say they are a UUID, and are too few', new Binary(Buffer.alloc(15, 1), Binary.SUBTYPE_UUID)],
  ['none at all', new Binary(Buffer.alloc(0), Binary.SUBTYPE_UUID)],
])('reads %s back as it was', (_, value) => {
  const read = jsonToBson(bsonToJson(value), true) as Binary;
  expect([read.sub_type, read.toString('hex')]).toEqual([value.sub_type, value.toString('hex')]);
});

it.each<[string, BsonValue]>([
  ['{"$binary": null}', { $binary: null }],
  [
    '{"$binary": {"base64": "no base64!", "subType": "04"}}',
    { $binary: { base64: 'no base64!', subType: '04' } },
  ],
])('leaves %s a document', (text, document) => {
  expect(jsonToBson(text, true)).toEqual(document);
});
