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
/** Copies of each kind that one repair mends, of large rows fewer; a further one mends the rest. */
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
  const puts = await lackingRows(parts.route, differences, tally, signal);
  const removes = parts.route.pipeline.deletes === 'apply';
  if (!removes) tally.kept += extra.length;
  for (const chunk of chunks(removes ? extra : [])) {
    await write(parts, { deletes: chunk, puts: [], patches: [] }, tally, signal);
  }
  for (const chunk of chunks(puts)) {
    await write(parts, { deletes: [], puts: chunk, patches: [] }, tally, signal);
  }
  return tally.report();
}

async function write(
  { route, sink, fence }: MultisetRepairParts,
  effects: CompleteEffects,
  tally: RepairTally,
  signal: AbortSignal,
): Promise<void> {
  try {
    await withRetries(signal, () => sink.repair(route.pipeline.name, async () => effects, fence));
    tally.written += effects.puts.length;
    tally.removed += effects.deletes.length;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RepairOvertaken) throw error;
    for (const { text } of [...effects.deletes, ...effects.puts.map(({ key }) => key)])
      tally.failed(text, error);
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

/** Rows of the source, each with a key that no other copy has, as many as the target lacks. */
async function lackingRows(
  route: ComparedRoute,
  differences: readonly MultisetDifference[],
  tally: RepairTally,
  signal: AbortSignal,
): Promise<Put[]> {
  const left = new Map(differences.map(({ hash, lacking }) => [hash, lacking]));
  const found: Put[] = [];
  let bytes = 0;
  if (differences.every(({ lacking }) => lacking < 0)) return found;
  for await (const page of route.source.all(signal)) {
    for (const put of page) {
      if (!takeOne(left, sourceImage(route, put).hash, found.length)) continue;
      if (put.fault) tally.failed(put.key.text, put.fault);
      else found.push(put);
      bytes += bytesOf(put);
      if (bytes > MOST_BYTES) return found;
    }
  }
  return found;
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
