import { PageSize } from '../rows/page-size.js';
import type { OnUnmapped } from '../rows/rows.js';
import type { Key } from '../sinks/compaction.js';
import { type BucketSums, bucketOf } from './bucket-sums.js';
import { digest, type RowImage } from './row-image.js';

/** One side of a comparison. */
export interface ComparedSide {
  /** Every row, in pages of bounded size. */
  all(signal: AbortSignal, onUnmapped?: OnUnmapped): AsyncIterable<readonly RowImage[]>;
  /** Those of the keys that are there now. */
  read(keys: readonly Key[]): Promise<readonly RowImage[]>;
}

/** So many keys are read with one statement at most, fewer where rows are large. */
export const KEYS_PER_READ = 500;

/** The bucket of a key is that of its text's hash. */
export function bucketOfKey({ text }: Key): number {
  return bucketOf(digest(text));
}

/** Adds every row of a side to the sums. */
export async function sum(
  side: ComparedSide,
  sums: BucketSums,
  bucket: (row: RowImage) => number,
  signal: AbortSignal,
  onUnmapped?: OnUnmapped,
): Promise<void> {
  for await (const page of side.all(signal, onUnmapped)) {
    signal.throwIfAborted();
    for (const row of page) sums.add(bucket(row), row.hash);
  }
}

/**
 * Reads any number of keys, as many at a time as come to some megabytes, by their texts.
 * @param size what earlier readings of this side have told of its rows
 */
export async function readByKey(
  side: ComparedSide,
  keys: readonly Key[],
  signal: AbortSignal,
  size = new PageSize(),
): Promise<Map<string, RowImage>> {
  const found = new Map<string, RowImage>();
  for (let from = 0; from < keys.length; ) {
    signal.throwIfAborted();
    const asked = keys.slice(from, from + Math.min(size.rows, KEYS_PER_READ));
    const rows = await side.read(asked);
    for (const row of rows) found.set(row.key.text, row);
    size.came(
      rows.length,
      rows.reduce((sum, row) => sum + row.size, 0),
    );
    from += asked.length;
  }
  return found;
}
