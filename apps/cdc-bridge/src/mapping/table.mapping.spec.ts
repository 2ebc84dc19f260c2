import { Int32, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { postgresToMongo } from '../pipelines/pipeline.schema.js';
import type { Column } from '../postgres/table-columns.js';
import { TableMapping } from './table.mapping.js';
import { column } from './testing/column.js';

const pipeline = (more: object = {}) =>
  postgresToMongo.parse({
    name: 'orders',
    from: { postgres: 'shop', table: 'public.orders' },
    to: { mongo: 'read', collection: 'orders' },
    ...more,
  });
const COLUMNS = [
  column('total', 'int8', null, true),
  column('line', 'int4', 2),
  column('order', 'text', 1),
  column('status', 'text'),
];
const ROW = new Map<string, string | null>([
  ['total', '12'],
  ['line', '1'],
  ['order', 'o1'],
  ['status', 'paid'],
]);
const AT = new Date('2026-01-01');

describe('TableMapping', () => {
  it('makes _id of the key in its order, and fields of the rest, generated ones too', () => {
    const put = new TableMapping(COLUMNS, pipeline({ rename: { status: 'state' } })).put(ROW, true);
    expect(Object.keys(put.fields)).toEqual(['_id', 'total', 'state']);
    expect(Object.keys(put.fields._id as object)).toEqual(['order', 'line']);
    expect(put.fields).toMatchObject({ _id: { line: new Int32(1) }, total: Long.fromNumber(12) });
    const single = new TableMapping([column('id', 'int4', 1), column('v', 'text')], pipeline());
    expect(
      single.put(
        new Map([
          ['id', '7'],
          ['v', null],
        ]),
        true,
      ).fields,
    ).toEqual({ _id: new Int32(7), v: null });
  });

  it('refuses a key that no change tells, and without a key any such column', () => {
    const columns = [column('id', 'int4', 1), column('mask', 'varbit', 2), column('zoned', 'timetz')];
    expect(() => new TableMapping(columns, pipeline())).toThrow(
      'mask is part of the key of public.orders: no change tells a value of the type varbit',
    );
    const keyless = [column('id', 'int4'), column('zoned', 'timetz')];
    expect(() => new TableMapping(keyless, pipeline())).toThrow(
      /no primary key, and .* zoned, of the type timetz/,
    );
    expect(new TableMapping(keyless, pipeline({ drop: ['zoned'] })).fields).toHaveLength(1);
    expect(new TableMapping(columns.with(1, column('mask', 'text', 2)), pipeline()).fields).toHaveLength(1);
  });

  it('leaves dropped columns out, and omits what is not known', () => {
    const mapping = new TableMapping(COLUMNS, pipeline({ drop: ['total'] }));
    const partial = new Map([...ROW].filter(([name]) => name !== 'status'));
    expect(mapping.put(partial, false)).toMatchObject({ omitted: ['status'], isNew: false });
    expect(Object.keys(mapping.put(ROW, true).fields)).toEqual(['_id', 'status']);
  });

  it('says of a value that no document can hold which it is, and asks for the row again', () => {
    const put = new TableMapping(COLUMNS.with(0, column('total', 'jsonb')), pipeline()).put(
      new Map([...ROW, ['total', `1${'2'.repeat(40)}.5`]]),
      false,
    );
    expect(put).toMatchObject({
      omitted: ['total'],
      isNew: true,
      fault: { message: /column total:.*34 digits/ },
    });
  });

  it('filters by the column, dropped or not, and does not know where it is not told', () => {
    const mapping = new TableMapping(
      COLUMNS,
      pipeline({ where: { status: ['paid', 'sent'], line: 1 }, drop: ['status'] }),
    );
    expect(mapping.matches(ROW)).toBe(true);
    expect(mapping.matches(new Map([...ROW, ['status', 'new']]))).toBe(false);
    expect(mapping.matches(new Map([['line', '1']]))).toBeUndefined();
    expect(mapping.matches(new Map([['line', '2']]))).toBe(false);
    const onlyKey = new TableMapping(
      COLUMNS,
      pipeline({ where: { status: 'paid' }, drop: ['status', 'total'] }),
    );
    expect(onlyKey.unknown(ROW)).toMatchObject({ omitted: ['status'], isNew: true });
  });

  it('lets what is gone go, stay, or stay with a mark', () => {
    const gone = (deletes: string) => new TableMapping(COLUMNS, pipeline({ deletes })).gone(ROW, AT);
    expect(gone('apply')).toMatchObject({ kind: 'delete' });
    expect(gone('ignore')).toBeNull();
    expect(gone('mark')).toMatchObject({
      kind: 'put',
      fields: { deleted_at: AT },
      omitted: ['total', 'status'],
      ifThere: true,
    });
    const living = new TableMapping(COLUMNS, pipeline({ deletes: 'mark' })).put(ROW, true);
    expect(living.fields.deleted_at).toBeNull();
  });

  it('gives equal rows without a key one hash, whatever the order and what is null', () => {
    const bag = (columns: Column[]) => new TableMapping(columns, pipeline());
    const [a, b, c] = [column('a', 'int4'), column('b', 'text'), column('c', 'text')];
    const row = new Map<string, string | null>([
      ['a', '1'],
      ['b', 'x'],
      ['c', null],
    ]);
    const { row: hash } = bag([a, b]).removal(row);
    expect(bag([c, b, a]).removal(row).row).toBe(hash);
    expect(bag([a, b]).removal(new Map([...row, ['b', 'y']])).row).not.toBe(hash);
    expect(bag([a, b]).keylessPut(row, '0:7')).toMatchObject({
      key: { text: `${hash} 0:7` },
      fields: { _id: { row: hash, at: '0:7' }, a: new Int32(1), b: 'x' },
    });
    expect(() => bag([a, b]).removal(new Map([['a', '1']]))).toThrow(/column b/);
  });

  it.each([
    ['jsonb', '{"a": 1}', '{"a": 1.0}'],
    ['jsonb', '{"a": null}', '{}'],
    ['float8', '0', '-0'],
  ])(
    'gives rows without a key two hashes where a comparison tells them apart: %s %s, %s',
    (type, one, other) => {
      const mapping = new TableMapping([column('v', type)], pipeline());
      const [first, second] = [one, other].map((text) => mapping.removal(new Map([['v', text]])));
      expect(first).not.toEqual(second);
    },
  );

  it.each([
    [{ rename: { nope: 'x' } }, /no column nope/],
    [{ where: { nope: 1 } }, /no column nope/],
    [{ drop: ['order'] }, /order is part of the key/],
    [{ rename: { status: 'total' } }, /two columns would both be the field total/],
    [{ rename: { status: '_id' } }, /would be _id/],
    [{ rename: { status: 'deleted_at' }, deletes: 'mark' }, /deleted_at for itself/],
  ])('refuses %j', (more, message) => {
    expect(() => new TableMapping(COLUMNS, pipeline(more))).toThrow(message);
  });

  it('refuses a field that _id cannot have, and takes a key of one column by any name', () => {
    const keyed = (...names: string[]) => names.map((name, i) => column(name, 'int4', i + 1));
    expect(() => new TableMapping(keyed('a', '$b'), pipeline())).toThrow(/a field \$b in _id/);
    expect(new TableMapping(keyed('a', '$b'), pipeline({ rename: { $b: 'b' } })).key).toHaveLength(2);
    expect(new TableMapping(keyed('$b'), pipeline()).key).toHaveLength(1);
  });
});
