import type { Key } from '../sinks/compaction.js';
import { BucketSums, bucketOf } from './bucket-sums.js';
import type { ComparedSide } from './compared-side.js';
import { sum } from './compared-side.js';
import { beginningOf, type RowImage } from './row-image.js';
import type { Settlement } from './settling.js';
import type { Tally } from './verify-report.js';

/** A row of which one side has more copies. */
export interface MultisetDifference {
  /** The hash of the row's fields, in base64. */
  readonly hash: string;
  /** Copies that the target lacks; below zero, that it has too many. */
  readonly lacking: number;
}

/** So many different rows are counted in a round, about 20 MB; where more may differ, another round follows. */
const ROWS_PER_ROUND = 100_000;
const MAX_LOOKS = 6;
/** A difference counts when so many looks, one after another, counted the same. */
const STEADY_LOOKS = 3;
const SHOWN_CHARACTERS = 200;

/** Compares two sides as multisets. Only buckets that differ are counted row by row. */
export async function compareByCount(
  sides: Settlement,
  tally: Tally,
  onDifference: (differences: readonly MultisetDifference[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const [sources, targets] = [new BucketSums(), new BucketSums()];
  const byHash = ({ hash }: RowImage) => bucketOf(hash);
  await Promise.all([sum(sides.source, sources, byHash, signal), sum(sides.target, targets, byHash, signal)]);
  tally.sourceRows = sources.rows;
  tally.targetRows = targets.rows;
  for (const buckets of rounds(sources.differing(targets), sources, targets)) {
    const found = await compareBuckets(sides, buckets, tally, signal);
    if (found.length > 0) await onDifference(found);
  }
}

function* rounds(
  buckets: ReadonlySet<number>,
  sources: BucketSums,
  targets: BucketSums,
): Generator<ReadonlySet<number>> {
  let round = new Set<number>();
  let rows = 0;
  for (const bucket of buckets) {
    const more = sources.count(bucket) + targets.count(bucket);
    if (round.size > 0 && rows + more > ROWS_PER_ROUND) {
      yield round;
      round = new Set();
      rows = 0;
    }
    round.add(bucket);
    rows += more;
  }
  if (round.size > 0) yield round;
}

interface Watched {
  /** Of any of the copies. */
  readonly key: Key;
  /** How many copies there were, before and after the target was counted. */
  source: [number, number];
  target: number;
  last: string;
  steady: number;
  shown: string;
}

async function compareBuckets(
  sides: Settlement,
  buckets: ReadonlySet<number>,
  tally: Tally,
  signal: AbortSignal,
): Promise<MultisetDifference[]> {
  const found: MultisetDifference[] = [];
  const open = new Map<string, Watched>();
  for (let look = 0; look < MAX_LOOKS && (look === 0 || open.size > 0); look++) {
    const pending = await lookAt(sides, buckets, open, look === 0, signal);
    for (const [hash, watched] of open) {
      const lacking = judge(watched, sides.ignoresExtra);
      const isPending = pending.has(watched.key.text);
      if (lacking === null && !isPending) continue;
      open.delete(hash);
      if (lacking === 0) continue;
      if (lacking === null || isPending) {
        tally.leftOut('pending', apart(watched));
        continue;
      }
      found.push({ hash, lacking });
      tally.add(lacking > 0 ? 'missing' : 'extra', watched.shown, [], Math.abs(lacking));
    }
  }
  for (const watched of open.values()) tally.leftOut('unsettled', apart(watched));
  return found;
}

/** Counts the open rows on both sides; at the first look, every row of the buckets. */
async function lookAt(
  { source, target, settle }: Settlement,
  buckets: ReadonlySet<number>,
  open: Map<string, Watched>,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  for (const watched of open.values()) {
    watched.source = [0, 0];
    watched.target = 0;
  }
  const count = async (side: ComparedSide, add: (watched: Watched) => void) => {
    for await (const page of side.all(signal)) {
      signal.throwIfAborted();
      for (const row of page) {
        if (!buckets.has(bucketOf(row.hash))) continue;
        const hash = row.hash.toString('base64');
        const watched = open.get(hash) ?? (isFirst ? unseen(row) : undefined);
        if (!watched) continue;
        open.set(hash, watched);
        add(watched);
      }
    }
  };
  await count(source, (watched) => watched.source[0]++);
  const pending = await settle([...open.values()].map(({ key }) => key));
  await count(target, (watched) => watched.target++);
  await count(source, (watched) => watched.source[1]++);
  return pending;
}

function unseen({ key, texts }: RowImage): Watched {
  const shown = beginningOf(JSON.stringify(Object.fromEntries(texts)), SHOWN_CHARACTERS);
  return { key, source: [0, 0], target: 0, last: '', steady: 0, shown };
}

/** How many copies too many one side has, at least. */
function apart({ source, target }: Watched): number {
  return Math.max(1, Math.abs(source[1] - target));
}

/** The copies that the target lacks; null where another look is needed. */
function judge(watched: Watched, ignoresExtra: boolean): number | null {
  const { source, target } = watched;
  const least = Math.min(...source);
  if (target >= least && (target <= Math.max(...source) || ignoresExtra)) return 0;
  const seen = source[0] === source[1] ? `${source[0]} ${target}` : '';
  watched.steady = seen !== '' && seen === watched.last ? watched.steady + 1 : Math.min(1, seen.length);
  watched.last = seen;
  return watched.steady < STEADY_LOOKS ? null : least - target;
}
