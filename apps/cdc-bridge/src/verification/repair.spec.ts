import { expect, it } from 'vitest';
import { MOST_BYTES } from '../rows/read-within.js';
import type { Key, Put } from '../sinks/compaction.js';
import type { CompleteEffects } from '../sinks/sink.js';
import { type RepairParts, repairKeys } from './repair.js';

it('mends large rows in transactions of some megabytes, each row once', async () => {
  const text = 'x'.repeat(1_024 * 1_024);
  const keys = Array.from({ length: 100 }, (_, i): Key => ({ text: `${i}`, fields: { _id: `${i}` } }));
  const read = async (asked: readonly Key[]) =>
    asked.map((key): Put => {
      return { kind: 'put', key, fields: { ...key.fields, text }, omitted: [], isNew: true };
    });
  const written: string[][] = [];
  const repair = async (_: string, effectsOf: () => Promise<CompleteEffects>) => {
    const effects = await effectsOf();
    written.push(effects.puts.map(({ key }) => key.text));
    return effects;
  };
  const route = { pipeline: { name: 'orders' }, source: { read }, gone: () => null };
  const report = await repairKeys(
    { route, sink: { repair } } as unknown as RepairParts,
    keys,
    AbortSignal.timeout(60_000),
  );
  expect(report).toMatchObject({ written: 100, failed: 0 });
  expect(written.flat().sort()).toEqual(keys.map((key) => key.text).sort());
  for (const rows of written) expect(rows.length * text.length).toBeLessThanOrEqual(MOST_BYTES);
});
