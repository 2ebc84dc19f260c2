import { Int32, ObjectId, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mongoToPostgres } from '../pipelines/pipeline.schema.js';
import { CollectionMapping } from './collection.mapping.js';
import { targetTable } from './target-table.js';
import { column } from './testing/column.js';

const KNOWN = [
  column('sku', 'text', 1),
  column('on_hand', 'int4'),
  column('rest', 'jsonb'),
  column('deleted_at', 'timestamptz'),
  column('twice', 'int4', null, true),
];
const pipeline = (more: object = {}) =>
  mongoToPostgres.parse({
    name: 'stock',
    from: { mongo: 'inventory', collection: 'stock' },
    to: { postgres: 'orders', table: 'public.stock' },
    columns: { sku: '_id', on_hand: 'stock.onHand' },
    ...more,
  });

describe('CollectionMapping', () => {
  it('takes columns from their paths, and the rest as it is', () => {
    const document = { _id: 'a', stock: { onHand: new Int32(5), bins: ['x'] }, 'stock.onHand': true, e: {} };
    expect(new CollectionMapping(KNOWN, pipeline({ rest: 'rest' })).put(document).fields).toEqual({
      sku: 'a',
      on_hand: new Int32(5),
      rest: { stock: { bins: ['x'] }, 'stock.onHand': true, e: {} },
    });
  });

  it('leaves nothing of a document in the document that was wholly mapped, and null where there is no path', () => {
    const mapping = new CollectionMapping(KNOWN, pipeline({ rest: 'rest' }));
    expect(mapping.put({ _id: 'a', stock: { onHand: new Int32(5) } }).fields.rest).toEqual({});
    expect(mapping.put({ _id: 'a', stock: 7 as never }).fields).toMatchObject({
      on_hand: null,
      rest: { stock: 7 },
    });
  });

  it('knows an ObjectId and its text as one key', () => {
    const mapping = new CollectionMapping(KNOWN, pipeline());
    const id = new ObjectId();
    expect(mapping.keyOf(id).text).toBe(mapping.keyOf(id.toHexString()).text);
    expect(() => mapping.keyOf(null)).toThrow(/nothing for sku/);
    expect(() => mapping.keyOf(new Int32(5))).toThrow(/cannot hold 5/);
  });

  it.each([
    ['uuid', '018F3c00-0000-7000-8000-00000000000a', /part of the key.*one case/],
    ['uuid', '{018f3c00-0000-7000-8000-00000000000a}', /four hyphens or none/],
    ['uuid', '018f3c0000007000-8000-00000000000a', /four hyphens or none/],
    ['bpchar', 'ab ', /blanks/],
  ])('refuses a key of type %s that nobody would look for: %s', (type, id, why) => {
    const mapping = new CollectionMapping([column('sku', type, 1), column('on_hand', 'int4')], pipeline());
    expect(() => mapping.keyOf(id)).toThrow(why);
  });

  it.each(['018f3c00-0000-7000-8000-00000000000a', '018F3C0000007000800000000000000A', new UUID()])(
    'takes the UUID %s for a key',
    (id) => {
      const mapping = new CollectionMapping(
        [column('sku', 'uuid', 1), column('on_hand', 'int4')],
        pipeline(),
      );
      expect(mapping.keyOf(id).fields.sku).toBe(id);
    },
  );

  it('filters by paths', () => {
    const mapping = new CollectionMapping(KNOWN, pipeline({ where: { 'stock.open': [true, null] } }));
    expect(mapping.matches({ _id: 'a' })).toBe(true);
    expect(mapping.matches({ _id: 'a', stock: { open: false } })).toBe(false);
  });

  it.each([
    [{ columns: { sku: 'code' } }, /sku is part of the key .* must come from _id/],
    [{ columns: { on_hand: '_id' } }, /nothing is mapped to sku/],
    [{ columns: { sku: '_id', nope: 'x' } }, /no column nope/],
    [{ columns: { sku: '_id', twice: 'x' } }, /twice .* is generated/],
    [{ rest: 'on_hand' }, /on_hand .* is no jsonb/],
    [{ columns: { sku: '_id', deleted_at: 'd' }, deletes: 'mark' }, /deleted_at .* for itself/],
  ])('refuses %j', (more, message) => {
    expect(() => new CollectionMapping(KNOWN, pipeline(more))).toThrow(message);
  });
});

describe('targetTable', () => {
  const columns = { shop: { path: '_id.shop', type: 'text' }, 'on "hand"': { path: 'n', type: 'int4' } };

  it('makes the table that is declared, its names quoted', () => {
    const step = targetTable(pipeline({ columns, create: true, rest: 'rest', deletes: 'mark' }));
    expect(step?.sql).toContain(
      'create table if not exists "public"."stock" ("shop" text, "on ""hand""" int4, "rest" jsonb, "deleted_at" timestamptz, primary key ("shop"))',
    );
    expect(targetTable(pipeline({ columns }))).toBeNull();
  });

  it('says what it lacks', () => {
    expect(() => targetTable(pipeline({ create: true }))).toThrow(/column sku has no type/);
    const keyless = pipeline({ create: true, columns: { n: { path: 'n', type: 'int4' } } });
    expect(() => targetTable(keyless)).toThrow(/no column has the path _id/);
  });
});
