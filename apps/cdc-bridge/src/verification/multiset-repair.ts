import { RepairOvertaken } from '../checkpoints/checkpoint.js';
import { bytesOf, MOST_BYTES } from '../rows/read-within.js';
import type { Key, Put } from '../sinks/compaction.js';
import type { CompleteEffects, RepairFence } from '../sinks/sink.js';
import type { MultisetDifference } from './multiset-comparison.js';
import { type RepairParts, withRetries } from './repair.js';
import { type RepairReport, RepairTally } from './repair-report.js';
import { type ComparedRoute, sourceImage, targetSide } from './route-sides.js';

export interface MultisetRepairParts extends RepairParts {
  readonly route: ComparedRoute;
  /** From before the comparison: a copy that another repair has written since would be written twice. */
  readonly fence: RepairFence | undefined;
}

/** Copies that are written or removed in one transaction. */
const COPIES_PER_TRANSACTION = 250;
/** Copies of each kind that one repair mends; a further one mends the rest. */
const MAX_COPIES = 20_000;

/**
 * Gives the target of a table without a key the copies of each row that it lacks, and takes those that are too many.
 * Each copy is written or removed by a key of its own, so that a repetition does no harm. What the pipeline applies
 * meanwhile moves both sides alike, but for one case: a deletion whose row is still missing at the target finds nothing
 * to take away, and the copy that is written after it is one too many until the next repair.
 * @throws RepairOvertaken; the signal's reason
 */
export async function repairCopies(
  parts: MultisetRepairParts,
  differences: readonly MultisetDifference[],
  signal: AbortSignal,
): Promise<RepairReport> {
  const tally = new RepairTally();
  const extra = await extraKeys(parts.route, differences, signal);
  const removes = parts.route.pipeline.deletes === 'apply';
  if (!removes) tally.kept += extra.length;
  for (const chunk of chunks(removes ? extra : [])) {
    await write(parts, { deletes: chunk, puts: [], patches: [] }, tally, signal);
  }
  for await (const chunk of lackingRows(parts.route, differences, tally, signal)) {
    await write(parts, { deletes: [], puts: chunk, patches: [] }, tally, signal);
  }
  return tally.report();
}

/** Halves what is refused, until the copy stands alone. */
async function write(
  parts: MultisetRepairParts,
  effects: CompleteEffects,
  tally: RepairTally,
  signal: AbortSignal,
): Promise<void> {
  const failure = await writeAtOnce(parts, effects, tally, signal);
  if (!failure) return;
  const { deletes, puts } = effects;
  const keys = [...deletes, ...puts.map(({ key }) => key)];
  if (keys.length === 1 || failure.canRetry === true) {
    for (const { text } of keys) tally.failed(text, failure);
    return;
  }
  const half = keys.length >> 1;
  await write(
    parts,
    { deletes: deletes.slice(0, half), puts: puts.slice(0, half), patches: [] },
    tally,
    signal,
  );
  await write(parts, { deletes: deletes.slice(half), puts: puts.slice(half), patches: [] }, tally, signal);
}

async function writeAtOnce(
  { route, sink, fence }: MultisetRepairParts,
  effects: CompleteEffects,
  tally: RepairTally,
  signal: AbortSignal,
): Promise<(Error & { canRetry?: boolean }) | undefined> {
  try {
    await withRetries(signal, () => sink.repair(route.pipeline.name, async () => effects, fence));
    tally.written += effects.puts.length;
    tally.removed += effects.deletes.length;
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RepairOvertaken) throw error;
    return error as Error;
  }
}

/** Keys at the target of copies that are too many. */
async function extraKeys(
  route: ComparedRoute,
  differences: readonly MultisetDifference[],
  signal: AbortSignal,
): Promise<Key[]> {
  const left = new Map(differences.map(({ hash, lacking }) => [hash, -lacking]));
  const found: Key[] = [];
  if (differences.every(({ lacking }) => lacking > 0)) return found;
  for await (const page of targetSide(route).all(signal)) {
    for (const { key, hash } of page) {
      if (takeOne(left, hash, found.length)) found.push(key);
    }
  }
  return found;
}

/** Rows of the source, each with a key that no other copy has, as many as the target lacks: each time for one transaction. */
async function* lackingRows(
  route: ComparedRoute,
  differences: readonly MultisetDifference[],
  tally: RepairTally,
  signal: AbortSignal,
): AsyncGenerator<readonly Put[]> {
  const left = new Map(differences.map(({ hash, lacking }) => [hash, lacking]));
  let [found, bytes] = [0, 0];
  let chunk: Put[] = [];
  if (differences.every(({ lacking }) => lacking < 0)) return;
  for await (const page of route.source.all(signal)) {
    for (const put of page) {
      if (!takeOne(left, sourceImage(route, put).hash, found)) continue;
      found++;
      if (put.fault) {
        tally.failed(put.key.text, put.fault);
        continue;
      }
      chunk.push(put);
      bytes += bytesOf(put);
      if (chunk.length < COPIES_PER_TRANSACTION && bytes < MOST_BYTES) continue;
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
  }
  if (chunk.length > 0) yield chunk;
}

function takeOne(left: Map<string, number>, rowHash: Buffer, found: number): boolean {
  const hash = rowHash.toString('base64');
  const more = left.get(hash) ?? 0;
  if (more <= 0 || found === MAX_COPIES) return false;
  left.set(hash, more - 1);
  return true;
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += COPIES_PER_TRANSACTION) {
    yield items.slice(from, from + COPIES_PER_TRANSACTION);
  }
}
