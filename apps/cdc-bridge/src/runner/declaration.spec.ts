import { expect, it } from 'vitest';
import { mongoToPostgres, postgresToMongo } from '../pipelines/pipeline.schema.js';
import { declarationOf } from './declaration.js';

const ENTRY = {
  name: 'orders',
  from: { postgres: 'shop', table: 'public.orders' },
  to: { mongo: 'stock', collection: 'orders' },
  rename: { placed_at: 'placedAt', total: 'amount' },
  where: { state: ['open', 'paid'] },
};
const declared = (more: object = {}) => declarationOf(postgresToMongo.parse({ ...ENTRY, ...more }));

it('is the same however the entry is written, named and delayed, and whatever becomes of deletions', () => {
  const { from, to, ...rest } = ENTRY;
  const where = { state: ['paid', 'open'] };
  const same = { to, ...rest, from, where, rename: { total: 'amount', placed_at: 'placedAt' } };
  expect(declarationOf(postgresToMongo.parse(same))).toBe(declared());
  for (const more of [{ name: 'other' }, { delay: '1h' }, { deletes: 'mark' }, { snapshot: 'initial' }])
    expect(declared(more)).toBe(declared());
});

it.each([
  { to: { mongo: 'stock', collection: 'orders_too' } },
  { from: { postgres: 'shop', table: 'public.old_orders' } },
  { where: { state: 'open' } },
  { where: { state: ['paid', 'open', 'sent'] } },
  { where: { state: ['open', true] } },
  { rename: {} },
  { drop: ['total'] },
  { snapshot: 'never' },
])('is another with %o', (more) => {
  expect(declared(more)).not.toBe(declared());
});

it('is another with another column or path', () => {
  const into = (columns: object, more: object = {}) =>
    declarationOf(
      mongoToPostgres.parse({
        name: 'stock',
        from: { mongo: 'stock', collection: 'stock' },
        to: { postgres: 'shop', table: 'public.stock' },
        columns,
        ...more,
      }),
    );
  const all = [
    into({ sku: '_id' }),
    into({ sku: '_id', on_hand: 'onHand' }),
    into({ sku: '_id', on_hand: 'stock.onHand' }),
    into({ sku: '_id' }, { rest: 'rest' }),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(into({ sku: '_id' }, { create: true })).toBe(all[0]);
});
