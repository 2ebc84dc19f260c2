import { expect, it } from 'vitest';
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
