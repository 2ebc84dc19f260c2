import { expect, it } from 'vitest';
import { MOST_BYTES } from '../rows/read-within.js';
import { compact, type Put } from '../sinks/compaction.js';
import { completeEffects } from './complete-effects.js';

const key = { text: 'a', fields: { _id: 'a' } };
/** Of a row that is to be read again at the source. */
const lacking: Put = { kind: 'put', key, fields: key.fields, omitted: ['opens'], isNew: true };
/** The source has no such row any more. */
const route = {
  source: { read: async () => [], all: async function* () {} },
  gone: () => ({ kind: 'delete', key }) as const,
};

it.each([
  ['goes where nothing is delayed', undefined, [key]],
  ['stays until its deletion is due, where a pipeline has a delay', 3_600_000, []],
])('a row that the source has lost meanwhile %s', async (_, delay, deletes) => {
  const effects = await completeEffects({ ...route, pipeline: { delay } }, compact([lacking]), new Set());
  expect(effects).toEqual({ deletes, puts: [], patches: [], removals: [] });
});

it('rows that are read again come to some megabytes at once, but a single one whatever its size', async () => {
  const text = 'x'.repeat(1_024 * 1_024);
  const lackingKey = (_id: number): Put => ({
    ...lacking,
    key: { text: `${_id}`, fields: { _id: `${_id}` } },
  });
  let read = 0;
  const source = (copies: number) => ({
    ...route.source,
    read: async (keys: readonly Put['key'][]) => {
      read += keys.length;
      const whole = { kind: 'put', omitted: [], isNew: true } as const;
      return keys.map(
        (key): Put => ({ ...whole, key, fields: { ...key.fields, text: text.repeat(copies) } }),
      );
    },
  });
  const complete = (rows: number, copies: number) =>
    completeEffects(
      { ...route, source: source(copies), pipeline: {} },
      compact(Array.from({ length: rows }, (_, i) => lackingKey(i))),
      new Set(),
    );
  await expect(complete(500, 1)).rejects.toMatchObject({ code: 'ROWS_TOO_LARGE' });
  expect(read * text.length).toBeLessThan(MOST_BYTES * 1.5);
  expect((await complete(20, 1)).puts).toHaveLength(20);
  expect((await complete(1, 40)).puts).toHaveLength(1);
});
