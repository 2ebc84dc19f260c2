import type { WriterSchemas } from '@millrace/messaging';
import { parseSchema } from '@millrace/schemas';
import { Int32 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { CollectionMapping } from '../mapping/collection.mapping.js';
import { mongoToPostgres } from '../pipelines/pipeline.schema.js';
import { ValueFault } from '../values/value.fault.js';
import { MongoChangeReader } from './mongo.change-reader.js';

const text = ['null', 'string'];
const source = {
  type: 'record',
  name: 'Source',
  fields: [
    { name: 'ts_ms', type: 'long' },
    { name: 'snapshot', type: text },
  ],
};
const types = [
  parseSchema({
    type: 'record',
    name: 'Envelope',
    fields: [
      { name: 'before', type: text },
      { name: 'after', type: text },
      { name: 'source', type: source },
      { name: 'op', type: 'string' },
    ],
  }),
  parseSchema({ type: 'record', name: 'Key', fields: [{ name: 'id', type: 'string' }] }),
];
const schemas: WriterSchemas = { find: (id) => types[id] as (typeof types)[number] };
const framed = (id: number, value: object) =>
  Buffer.concat([Buffer.from([0, 0, 0, 0, id]), (types[id] as (typeof types)[number]).toBuffer(value)]);

const known = [
  {
    name: 'id',
    type: { name: 'int4', kind: 'base' as const },
    sqlType: 'int4',
    castType: 'int4',
    inEveryChange: false,
    nullable: false,
    generated: false,
    keyPosition: 1,
  },
];
const mapping = new CollectionMapping(
  known,
  mongoToPostgres.parse({
    name: 'p',
    from: { mongo: 'm', collection: 'c' },
    to: { postgres: 'q', table: 'public.t' },
    columns: { id: '_id' },
  }),
);

function read(value: object | Buffer | null, key = framed(1, { id: '5' })) {
  const bytes =
    value === null || Buffer.isBuffer(value) ? value : framed(0, { before: null, after: null, ...value });
  const at = { topic: 't', partition: 0, offset: 0n, timestamp: new Date() };
  return new MongoChangeReader(schemas, mapping).read({ ...at, key, value: bytes });
}
const streamed = { source: { ts_ms: 1_000n, snapshot: 'false' } };

describe('MongoChangeReader', () => {
  it('reads an image, and a key where there is none', async () => {
    const put = await read({ op: 'u', after: '{"_id": 5, "n": NaN}', ...streamed });
    expect(put).toMatchObject({
      kind: 'change',
      at: new Date(1_000),
      snapshot: null,
      change: { fields: { id: new Int32(5) } },
    });
    const deleted = await read({ op: 'd', ...streamed });
    expect(deleted).toMatchObject({ kind: 'change', change: { kind: 'delete', key: { text: '["5"]' } } });
    // A date that nothing can hold, in what the document was: its key is enough to delete a row, or to ask again.
    const before = '{"_id": 5, "at": {"$date": 9223372036854775807}}';
    expect(await read({ op: 'd', before, ...streamed })).toMatchObject({
      change: { kind: 'delete', key: { text: '["5"]' } },
    });
    expect(await read({ op: 'u', before, ...streamed })).toMatchObject({ change: { isNew: true } });
    await expect(read({ op: 'u', after: before, ...streamed })).rejects.toThrow(ValueFault);
    expect(await read({ op: 'u', ...streamed })).toMatchObject({ change: { isNew: true, omitted: [] } });
    expect(await read(null)).toEqual({ kind: 'nothing' });
  });

  it.each([
    ['too few bytes', Buffer.from([0, 0]), 'MESSAGE_TOO_SHORT'],
    ['another first byte', Buffer.from('no Avro'), 'MESSAGE_MAGIC_BYTE'],
    ['a body that ends', framed(1, { id: 'x' }).subarray(0, 6), 'MESSAGE_BODY'],
    ['no envelope', framed(1, { id: 'x' }), 'MESSAGE_BODY'],
    ['no document', { op: 'c', after: '{"_id": ', ...streamed }, 'MESSAGE_BODY'],
    [
      'a date that JavaScript lacks',
      { op: 'c', after: '{"_id": 5, "d": {"$date": 9223372036854775807}}', ...streamed },
      'VALUE_NOT_REPRESENTABLE',
    ],
    [
      'a key that the table lacks',
      { op: 'c', after: '{"_id": "x"}', ...streamed },
      'VALUE_NOT_REPRESENTABLE',
    ],
  ])('refuses %s', async (_, value, code) => {
    await expect(read(value)).rejects.toMatchObject({ code, canRetry: false });
  });
});
