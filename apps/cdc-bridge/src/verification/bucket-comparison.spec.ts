import fc from 'fast-check';
import { Double, Int32 } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { Fields, Key } from '../sinks/compaction.js';
import { exactText } from '../values/exact-text.js';
import type { ComparedSide } from './compared-side.js';
import { compareByKey } from './key-comparison.js';
import { compareByCount } from './multiset-comparison.js';
import { imageOfRow } from './row-image.js';
import { garbageCollector } from './testing/garbage-collector.js';
import { Tally } from './verify-report.js';

const signal = new AbortController().signal;
const key = (n: number): Key => ({ text: `${n}`, fields: { id: new Int32(n) } });

/** Rows by their ids; pages of an odd size, so that rows of one bucket come apart. */
function side(rows: ReadonlyMap<number, Fields>): ComparedSide {
  const images = () => [...rows].map(([id, fields]) => imageOfRow(key(id), fields));
  return {
    async *all() {
      for (let from = 0; from < rows.size; from += 7) yield images().slice(from, from + 7);
    },
    read: async (keys) => images().filter((row) => keys.some(({ text }) => text === row.key.text)),
  };
}

const rows = fc
  .uniqueArray(fc.integer({ min: 0, max: 5_000 }), { minLength: 3, maxLength: 40 })
  .chain((ids) =>
    fc.tuple(fc.constant(ids), fc.array(fc.integer(), { minLength: ids.length, maxLength: ids.length })),
  )
  .map(
    ([ids, values]) => new Map(ids.map((id, i): [number, Fields] => [id, { n: new Int32(values[i] ?? 0) }])),
  );

describe('compareByKey', () => {
  const compare = async (source: ComparedSide, target: ComparedSide, ignoresExtra = false) => {
    const tally = new Tally();
    const told: string[] = [];
    const settle = async () => new Set<string>();
    await compareByKey(
      { source, target, ignoresExtra, settle },
      tally,
      async (keys) => void told.push(...keys.map(({ text }) => text)),
      signal,
    );
    return { ...tally.report(), told: told.sort() };
  };

  it('names exactly the rows that are missing, extra and different', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 6_000, max: 9_000 }),
        async (source, a, b, extra) => {
          const ids = [...source.keys()];
          const missing = ids[a % ids.length] as number;
          const different = ids[b % ids.length] as number;
          fc.pre(missing !== different);
          const target = new Map(source)
            .set(extra, { n: new Int32(1) })
            .set(different, { n: new Double(0.5) });
          target.delete(missing);
          const report = await compare(side(source), side(target));
          expect(report).toMatchObject({
            missing: 1,
            extra: 1,
            different: 1,
            unsettled: 0,
            pending: 0,
            note: null,
          });
          expect(new Map(report.sample.map((found) => [found.kind, found.key]))).toEqual(
            new Map([
              ['missing', `${missing}`],
              ['extra', `${extra}`],
              ['different', `${different}`],
            ]),
          );
          expect(report.sample.find(({ kind }) => kind === 'different')?.fields).toEqual(['n']);
          expect(report.told).toEqual([`${missing}`, `${extra}`, `${different}`].sort());
          expect(report.compared).toBe(source.size + 1);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('finds equal sides equal, in whatever order their rows come', async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (source) => {
        const report = await compare(side(source), side(new Map([...source].reverse())));
        expect(report).toMatchObject({ missing: 0, extra: 0, different: 0, sample: [], note: null });
      }),
      { numRuns: 20 },
    );
  });

  it('lets rows stand that only the target has, where deletions are ignored', async () => {
    const source = new Map<number, Fields>([[1, { n: 'a' }]]);
    const target = new Map<number, Fields>([
      [1, { n: 'b' }],
      [2, { n: 'deleted at the source' }],
    ]);
    expect(await compare(side(source), side(target), true)).toMatchObject({ extra: 0, different: 1 });
  });

  it('says so when there was nothing to compare', async () => {
    expect((await compare(side(new Map()), side(new Map()))).note).toContain('nothing was compared');
  });

  it('counts every row that differs, and shows the first hundred', async () => {
    const many = new Map(Array.from({ length: 150 }, (_, n): [number, Fields] => [n, { n: new Int32(n) }]));
    const { missing, sample } = await compare(side(many), side(new Map()));
    expect([missing, sample.length]).toEqual([150, 100]);
  });

  it('calls a row that never rests unsettled, not different', async () => {
    let n = 0;
    const restless: ComparedSide = {
      all: () => side(new Map([[1, { n: new Int32(n++) }]])).all(signal),
      read: (keys) => side(new Map([[1, { n: new Int32(n++) }]])).read(keys),
    };
    const report = await compare(restless, side(new Map([[1, { n: 'as it was' }]])));
    expect(report).toMatchObject({ different: 0, unsettled: 1, compared: 0 });
    expect(report.note).toContain('changed each time');
  });
});

describe('compareByCount', () => {
  const copies = (texts: readonly string[]) =>
    side(new Map(texts.map((text, i): [number, Fields] => [i, { text }])));
  const compare = async (source: readonly string[], target: readonly string[]) => {
    const tally = new Tally();
    const sides = {
      source: copies(source),
      target: copies(target),
      ignoresExtra: false,
      settle: async () => new Set<string>(),
    };
    await compareByCount(sides, tally, async () => {}, signal);
    return tally.report();
  };

  it('counts the copies of each row, whatever their keys and order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(),
        async (texts, doubled, lost) => {
          const twice = texts[doubled % texts.length] as string;
          const gone = texts[lost % texts.length] as string;
          fc.pre(twice !== gone);
          const target = [...texts, twice].reverse();
          target.splice(target.indexOf(gone), 1);
          const report = await compare(texts, target);
          expect(report).toMatchObject({ missing: 1, extra: 1, different: 0 });
          expect(report.sample.map((found) => [found.kind, found.key, found.copies]).sort()).toEqual([
            ['extra', JSON.stringify({ text: `s${twice}` }), 1],
            ['missing', JSON.stringify({ text: `s${gone}` }), 1],
          ]);
          expect(await compare(texts, texts.toReversed())).toMatchObject({
            missing: 0,
            extra: 0,
            note: null,
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('memory', () => {
  const ROWS = 400;
  const ROW_BYTES = 100_000;
  const MOST_BYTES = 16 * 1_024 * 1_024;
  const collect = garbageCollector();
  /** Rows that are large, made anew whenever they are read. */
  const images = (ids: readonly number[]) =>
    ids.map((id) =>
      imageOfRow(key(id), { n: new Int32(id), text: Buffer.alloc(ROW_BYTES, `${id} `).toString() }),
    );
  const asked: number[] = [];
  const large: ComparedSide = {
    async *all() {
      for (let id = 0; id < ROWS; id += 10) yield images(Array.from({ length: 10 }, (_, i) => id + i));
    },
    read: async (keys) => {
      asked.push(keys.length);
      return images(keys.map(({ text }) => Number(text)));
    },
  };
  const other: ComparedSide = {
    async *all(signal) {
      for await (const rows of large.all(signal))
        yield rows.map(({ key }) => imageOfRow(key, { text: 'small' }));
    },
    read: async (keys) => keys.map((each) => imageOfRow(each, { text: 'small' })),
  };

  it.each([
    ['by key', compareByKey],
    ['by count', compareByCount],
  ])('is bounded where every row is large and differs, compared %s', async (_, compare) => {
    collect();
    const before = process.memoryUsage().heapUsed;
    let most = 0;
    const settle = async () => {
      collect();
      most = Math.max(most, process.memoryUsage().heapUsed - before);
      return new Set<string>();
    };
    const tally = new Tally();
    await compare(
      { source: large, target: other, ignoresExtra: false, settle },
      tally,
      async () => {},
      signal,
    );
    const { missing, extra, different } = tally.report();
    expect(missing + different).toBe(ROWS);
    expect(extra).toBe(compare === compareByCount ? ROWS : 0);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(MOST_BYTES);
    expect(Math.max(0, ...asked) * ROW_BYTES).toBeLessThan(8 * 1_024 * 1_024);
  });
});

describe('exactText', () => {
  it('tells values apart that a pair would hold to be equal', () => {
    const values = [
      null,
      '',
      'null',
      new Int32(5),
      new Double(5),
      new Double(-0),
      new Double(0),
      { a: null },
      {},
      [],
    ];
    expect(new Set(values.map(exactText)).size).toBe(values.length);
    expect(exactText({ a: 'x', b: 'y' })).toBe(exactText({ b: 'y', a: 'x' }));
  });
});
