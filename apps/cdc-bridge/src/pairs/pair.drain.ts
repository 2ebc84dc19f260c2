import { setTimeout as delay } from 'node:timers/promises';
import type { PairConnections } from './pair.connections.js';
import { PairPositions } from './pair.positions.js';
import type { PairDeps } from './pair.run.js';

const POLL_MS = 50;

/**
 * Resolves when every change that was committed on either side before this call has been looked at, by whichever
 * instance; at once while the pair does not run, because nobody looks.
 */
export async function drained(
  { pipeline, pool, tables, topics }: PairConnections,
  { caughtUp, offsets }: PairDeps,
  isRunning: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!isRunning()) return;
  const [{ postgres }, { mongo }] = pipeline.between;
  await Promise.all([postgres, mongo].map((database) => caughtUp(database, signal)));
  const positions = new PairPositions(pool, tables);
  for (const topic of [topics.row, topics.document]) {
    const ranges = await offsets.ranges(topic);
    const behind = (at: ReadonlyMap<number, bigint>) =>
      ranges.some(({ partition, low, high }) => high > low && (at.get(partition) ?? -1n) < high);
    while (isRunning() && behind(await positions.all(topic))) {
      await delay(POLL_MS, undefined, { signal });
    }
  }
}
