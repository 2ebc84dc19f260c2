import fc from 'fast-check';
import { Int32 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import { type Change, compact, type Fields, type Key, type Put } from './compaction.js';

const key = (text: string): Key => ({ text, fields: { id: text } });
const put = (text: string, fields: Fields, more: Partial<Put> = {}): Put => ({
  kind: 'put',
  key: key(text),
  fields: { id: text, ...fields },
  omitted: [],
  isNew: false,
  ...more,
});
const gone = (text: string): Change => ({ kind: 'delete', key: key(text) });

describe('compact', () => {
  it('keeps the last state of each key, in the order of the keys', () => {
    const { puts, deletes } = compact([
      put('b', { n: 'old' }),
      put('a', { n: '1' }),
      gone('c'),
      put('b', { n: '2' }),
    ]);
    expect(puts.map(({ fields }) => fields)).toEqual([
      { id: 'a', n: '1' },
      { id: 'b', n: '2' },
    ]);
    expect(deletes).toEqual([key('c')]);
  });

  it('takes a row without a key away once for each time that it went, and for each that took its place', () => {
    const removal = (row: string): Change => ({ kind: 'removal', row });
    const moved = { ...put('x 2', {}), replaces: { kind: 'removal' as const, row: 'w' } };
    const { puts, deletes, removals } = compact([put('x 1', {}), removal('x'), moved, removal('x')]);
    expect(puts.map(({ key }) => key.text)).toEqual(['x 1', 'x 2']);
    expect(deletes).toEqual([]);
    expect(removals?.map(({ row }) => row)).toEqual(['w', 'x', 'x']);
  });

  it('marks what is there, and what the batch has put there, but nothing that it deleted', () => {
    const mark = (text: string) => put(text, { at: 'now' }, { omitted: ['n'], ifThere: true });
    const { puts, patches, deletes } = compact([
      put('a', { n: '1', at: null }),
      mark('a'),
      mark('b'),
      mark('b'),
      gone('c'),
      mark('c'),
      mark('d'),
      put('d', { n: '2', at: null }, { isNew: true }),
    ]);
    expect(puts.map(({ fields, ifThere }) => [fields, ifThere])).toEqual([
      [{ id: 'a', n: '1', at: 'now' }, undefined],
      [{ id: 'd', n: '2', at: null }, undefined],
    ]);
    expect(patches.map(({ key, ifThere }) => [key.text, ifThere])).toEqual([['b', true]]);
    expect(deletes).toEqual([key('c')]);
  });

  it('never loses a column that a later change left out', () => {
    const { puts } = compact([
      put('a', { big: 'the whole text', n: '1' }, { isNew: true }),
      put('a', { n: '2' }, { omitted: ['big'] }),
    ]);
    expect(puts.map(({ fields }) => fields)).toEqual([{ id: 'a', big: 'the whole text', n: '2' }]);
  });

  it('leaves alone at the target what no change of the batch told', () => {
    const { puts, patches } = compact([
      put('a', { n: '1', small: 'x' }, { omitted: ['big'] }),
      put('a', { n: '2' }, { omitted: ['big', 'small'] }),
    ]);
    expect(puts).toEqual([]);
    expect(patches).toMatchObject([{ fields: { id: 'a', n: '2', small: 'x' }, omitted: ['big'] }]);
  });

  it('does not mend a row with what it had before it was deleted', () => {
    const { lacking, puts } = compact([
      put('a', { big: 'before' }),
      gone('a'),
      { kind: 'tombstone' },
      put('a', { n: '1' }, { omitted: ['big'] }),
    ]);
    expect(puts).toEqual([]);
    expect(lacking).toMatchObject([{ fields: { id: 'a', n: '1' }, omitted: ['big'] }]);
  });

  it('moves a row whose key changed, with the columns that the change left out', () => {
    const { puts, deletes } = compact([
      put('a', { big: 'the whole text' }),
      put('b', { n: '1' }, { omitted: ['big'], previousKey: key('a') }),
    ]);
    expect(deletes).toEqual([key('a')]);
    expect(puts).toMatchObject([{ key: key('b'), fields: { id: 'b', n: '1', big: 'the whole text' } }]);
  });

  it('asks the source for the columns of a moved row that nobody told', () => {
    const { lacking, deletes } = compact([put('b', { n: '1' }, { omitted: ['big'], previousKey: key('a') })]);
    expect(deletes).toEqual([key('a')]);
    expect(lacking).toMatchObject([{ key: key('b'), omitted: ['big'] }]);
  });

  it('lets rows trade their keys', () => {
    const { puts, deletes } = compact([
      put('a', { n: '1' }),
      put('b', { n: '2' }),
      put('x', { n: '1' }, { previousKey: key('a') }),
      put('a', { n: '2' }, { previousKey: key('b') }),
      put('b', { n: '1' }, { previousKey: key('x') }),
    ]);
    expect(puts.map(({ fields }) => fields)).toEqual([
      { id: 'a', n: '2' },
      { id: 'b', n: '1' },
    ]);
    expect(deletes).toEqual([key('x')]);
  });

  it('keeps a column named __proto__', () => {
    const odd = JSON.parse('{"__proto__": "x"}') as Record<string, BsonValue>;
    const first: Put = { ...put('a', {}), fields: odd };
    const { puts } = compact([first, put('a', { n: '1' }, { omitted: ['__proto__'] })]);
    expect(Object.getOwnPropertyDescriptor(puts[0]?.fields, '__proto__')?.value).toBe('x');
  });

  it.each([
    ['a change before it', [put('a', { big: 'of before', n: '1' })]],
    ['the row before it was deleted', [put('a', { big: 'of before' }), gone('a')]],
    ['a mark', [put('a', { at: 'now' }, { omitted: ['big', 'n'], ifThere: true })]],
  ])('asks the source for what a change could not tell, whatever is known of it from %s', (_, earlier) => {
    const fault = new ValueFault('column big: no document can hold it');
    const { puts, patches, lacking } = compact([
      ...earlier,
      put('a', { n: '2' }, { omitted: ['big'], isNew: true, fault }),
    ]);
    expect([...puts, ...patches]).toEqual([]);
    expect(lacking).toMatchObject([{ key: key('a'), omitted: ['big'], fault }]);
  });

  it('asks the source, too, for what a change that moved the row could not tell', () => {
    const moved = put('b', { n: '2' }, { omitted: ['big'], isNew: true, previousKey: key('a') });
    const { puts, lacking, deletes } = compact([put('a', { big: 'of before' }), moved]);
    expect(puts).toEqual([]);
    expect(lacking).toMatchObject([{ key: key('b'), omitted: ['big'] }]);
    expect(deletes).toEqual([key('a')]);
  });

  it('has the effect of the changes one by one', () => {
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      n: fc.nat(99),
      op: fc.nat(9),
      big: fc.boolean(),
      isLost: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.subarray(['a', 'b', 'c']), (steps, there) => {
        const seed: Rows = new Map(there.map((id) => [id, { id, n: new Int32(-1), big: 'at first' }]));
        const [oneByOne, inOne] = [new Map(seed), new Map(seed)];
        const changes = steps.flatMap(({ key: id, n, op, big, isLost }): Change[] => {
          const exists = oneByOne.has(id);
          if (op < 2) return exists ? [run(oneByOne, gone(id))] : [];
          const isTold = !exists || big;
          const told = isTold ? { big: `big ${n}` } : {};
          const whole = put(
            id,
            { n: new Int32(n), ...told },
            { isNew: !exists, omitted: isTold ? [] : ['big'] },
          );
          run(oneByOne, whole);
          return [isTold && isLost ? put(id, { n: new Int32(n) }, { isNew: true, omitted: ['big'] }) : whole];
        });
        const { deletes, puts, patches, lacking } = compact(changes);
        const isAnyLost = changes.some(
          (change) => change.kind === 'put' && change.isNew && change.omitted.length > 0,
        );
        expect(isAnyLost || lacking.length === 0).toBe(true);
        for (const { key } of lacking) inOne.set(key.text, oneByOne.get(key.text) ?? {}); // read at the source
        for (const { text } of deletes) inOne.delete(text);
        for (const whole of puts) inOne.set(whole.key.text, whole.fields);
        for (const part of patches) run(inOne, part);
        expect(inOne).toEqual(oneByOne);
      }),
    );
  });
});

type Rows = Map<string, Fields>;

function run<C extends Change>(rows: Rows, change: C): C {
  if (change.kind === 'delete') rows.delete(change.key.text);
  if (change.kind === 'put') rows.set(change.key.text, { ...rows.get(change.key.text), ...change.fields });
  return change;
}
