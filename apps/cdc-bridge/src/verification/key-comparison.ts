import { PageSize } from '../rows/page-size.js';
import type { OnUnmapped } from '../rows/rows.js';
import type { Key } from '../sinks/compaction.js';
import { BucketSums } from './bucket-sums.js';
import { bucketOfKey, type ComparedSide, KEYS_PER_READ, readByKey, sum } from './compared-side.js';
import type { RowImage } from './row-image.js';
import { type Settlement, settleKeys } from './settling.js';
import { shownKey } from './shown-key.js';
import type { Tally } from './verify-report.js';

/** So many keys that differed are kept to be looked at again together, with up to nine images of each. */
const MAX_CANDIDATES = 2_000;

/** Is told the keys that differ for good, at most `MAX_CANDIDATES` at a time. */
export type OnDifference = (keys: readonly Key[]) => Promise<void>;

/**
 * Compares two sides by key. One pass sums up both in buckets. Where buckets differ, a second pass reads the
 * other side's rows of those buckets key by key, so that memory does not grow with the number of differences.
 */
export async function compareByKey(
  sides: Settlement,
  tally: Tally,
  onDifference: OnDifference,
  signal: AbortSignal,
  onUnmapped?: OnUnmapped,
): Promise<void> {
  const { source, target, ignoresExtra } = sides;
  const [sources, targets] = [new BucketSums(), new BucketSums()];
  const byKey = ({ key }: RowImage) => bucketOfKey(key);
  await Promise.all([sum(source, sources, byKey, signal, onUnmapped), sum(target, targets, byKey, signal)]);
  tally.sourceRows = sources.rows;
  tally.targetRows = targets.rows;
  const buckets = sources.differing(targets);
  if (buckets.size === 0) return;
  const candidates = new Candidates(sides, tally, onDifference, signal);
  const search = { buckets, candidates, signal };
  await findIn(source, target, (row, found) => !found?.hash.equals(row.hash), search);
  if (!ignoresExtra) await findIn(target, source, (_, found) => !found, search);
  await candidates.settle();
}

interface Search {
  readonly buckets: ReadonlySet<number>;
  readonly candidates: Candidates;
  readonly signal: AbortSignal;
}

/** Adds the rows of `side` that count, beside what the other side has under their keys. */
async function findIn(
  side: ComparedSide,
  other: ComparedSide,
  counts: (row: RowImage, found: RowImage | undefined) => boolean,
  { buckets, candidates, signal }: Search,
): Promise<void> {
  const size = new PageSize();
  for await (const rows of rowsIn(side, buckets, signal)) {
    const keys = rows.map(({ key }) => key);
    const found = await readByKey(other, keys, signal, size);
    await candidates.add(rows.filter((row) => counts(row, found.get(row.key.text))).map(({ key }) => key));
  }
}

/** The rows of a side that fall into the buckets, as many at a time as one statement reads. */
async function* rowsIn(
  side: ComparedSide,
  buckets: ReadonlySet<number>,
  signal: AbortSignal,
): AsyncGenerator<RowImage[]> {
  let rows: RowImage[] = [];
  for await (const page of side.all(signal)) {
    signal.throwIfAborted();
    for (const row of page) {
      if (!buckets.has(bucketOfKey(row.key))) continue;
      rows.push(row);
      if (rows.length < KEYS_PER_READ) continue;
      yield rows;
      rows = [];
    }
  }
  if (rows.length > 0) yield rows;
}

/** Keys that differed once, settled whenever enough have come together. */
class Candidates {
  #keys = new Map<string, Key>();

  constructor(
    readonly sides: Settlement,
    readonly tally: Tally,
    readonly onDifference: OnDifference,
    readonly signal: AbortSignal,
  ) {}

  async add(keys: readonly Key[]): Promise<void> {
    for (const key of keys) this.#keys.set(key.text, key);
    if (this.#keys.size > MAX_CANDIDATES - KEYS_PER_READ) await this.settle();
  }

  async settle(): Promise<void> {
    const keys = [...this.#keys.values()];
    this.#keys = new Map();
    const found: Key[] = [];
    for (const { key, is, fields } of await settleKeys(keys, this.sides, this.signal)) {
      if (is === 'equal') continue;
      if (is === 'pending' || is === 'unsettled') {
        this.tally.leftOut(is);
        continue;
      }
      this.tally.add(is, shownKey(key), fields);
      found.push(key);
    }
    if (found.length > 0) await this.onDifference(found);
  }
}
