import { afterEach, describe, expect, it, vi } from 'vitest';
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

describe('a source that does not answer', () => {
  const keys = ['a', 'b', 'c'].map((_id): Key => ({ text: _id, fields: { _id } }));
  const lockNotAvailable = Object.assign(new Error('canceling statement due to lock timeout'), {
    code: '55P03',
  });
  /** @param failures how often it does not answer before it does */
  const repairFrom = (failures: number) => {
    vi.spyOn(Math, 'random').mockReturnValue(0); // no pauses
    let asked = 0;
    const read = async (wanted: readonly Key[]) => {
      if (asked++ < failures) throw lockNotAvailable;
      return wanted.map((key): Put => ({ kind: 'put', key, fields: key.fields, omitted: [], isNew: true }));
    };
    const repair = (_: string, effectsOf: () => Promise<CompleteEffects>) => effectsOf();
    const route = { pipeline: { name: 'orders' }, source: { read }, gone: () => null };
    const parts = { route, sink: { repair } } as unknown as RepairParts;
    return repairKeys(parts, keys, AbortSignal.timeout(60_000));
  };

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is asked again, and its rows count as mended', async () => {
    expect(await repairFrom(2)).toMatchObject({ written: 3, failed: 0 });
  });

  it('ends the repair where it stays away, and no row counts as refused', async () => {
    await expect(repairFrom(Number.POSITIVE_INFINITY)).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      cause: lockNotAvailable,
    });
  });
});
