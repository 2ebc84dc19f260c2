import { BSON, Double, Int32, Long, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { documentOf } from './raw-document.js';

const oid = new ObjectId('65f0c0ffee00000000000001');

it.each([
  { v: { $ref: 'users', $id: oid } },
  { v: { $ref: 'fs.files', $id: new Int32(5), more: new Double(5) } },
  {
    v: { $ref: 'users', $id: Long.fromNumber(5), $db: 'crm' },
    list: [[{ $ref: 'a', $id: { $ref: 'b', $id: 'c' } }]],
  },
  { $ref: 'users', $id: 'x', n: new Int32(1) },
  { v: { $ref: '#/definitions/x' }, text: '\u0002$ref' },
])('keeps a document that looks like a reference: %o', (document) => {
  const read = documentOf(BSON.serialize(document));
  expect(read).toEqual(document);
  expect(BSON.serialize(read)).toEqual(BSON.serialize(document));
});
