import { describe, expect, it } from 'vitest';
import { readPipelinesFile } from './pipelines.file.js';
import { expandWildcards } from './wildcard.js';

const catalog = {
  tables: {
    orders: ['orders', 'lines', 'customers', 'stock', 'outbox', 'odd name']
      .map((table) => ({ schema: 'public', table }))
      .concat([
        { schema: 'millrace', table: 'ledger' },
        { schema: 'other', table: 'more' },
        { schema: 'odd', table: "$& $' a*" },
        { schema: 'odd', table: "' a" },
      ]),
  },
  ownSchemas: ['millrace'],
  outboxes: ['outbox'],
};

function expand(list: string) {
  const names = { postgres: ['orders'], mongo: ['inventory'] };
  const { pipelines } = readPipelinesFile('pipelines.yaml', `pipelines:\n${list}`, names);
  return expandWildcards(pipelines, catalog);
}

const everything =
  '  - { name: all, from: { postgres: orders, table: public.* }, to: { mongo: inventory, collection: pg_* } }\n';

describe('expandWildcards', () => {
  it('takes every table but outboxes, targets, pairs and those with an entry of their own, and says so', () => {
    const expansion = expand(`${everything}
  - { name: own, from: { postgres: orders, table: public.lines }, to: { mongo: inventory, collection: lines } }
  - { name: stock, from: { mongo: inventory, collection: stock }, to: { postgres: orders, table: public.stock }, columns: { id: _id } }
  - { name: pair, between: [ { postgres: orders, table: public.customers }, { mongo: inventory, collection: customers } ], conflict: { priority: mongo } }
`);
    expect(expansion.added).toEqual([
      { pipeline: 'all', tables: ['public.odd name', 'public.orders'], unnamable: [] },
    ]);
    expect(expansion.pipelines.map(({ name }) => name)).toEqual([
      'all.odd name',
      'all.orders',
      'own',
      'stock',
      'pair',
    ]);
    expect(expansion.pipelines[0]).toMatchObject({
      from: { table: 'public.odd name' },
      to: { collection: 'pg_odd name' },
    });
    expect(expansion.faults).toEqual([]);
  });

  it('never takes the bridge’s own tables', () => {
    expect(expand(everything.replace('public.*', 'millrace.*')).pipelines).toEqual([]);
  });

  it('tells of a target that two pipelines have only now', () => {
    const { faults } = expand(`${everything}
  - { name: x, from: { postgres: orders, table: other.more }, to: { mongo: inventory, collection: pg_orders } }
`);
    expect(faults).toEqual([
      {
        path: ['pipelines', 1, 'to'],
        message: 'pg_orders of the MongoDB database inventory is already a target of the pipeline all.orders',
      },
    ]);
  });

  it('leaves out a table whose name no collection can have, and says so', () => {
    const { pipelines, added, faults } = expand(everything.replace('public.*', 'odd.*'));
    expect(added).toEqual([{ pipeline: 'all', tables: ["odd.' a"], unnamable: ["odd.$& $' a*"] }]);
    expect(pipelines).toMatchObject([{ to: { collection: "pg_' a" } }]);
    expect(faults).toEqual([]);
  });
});
