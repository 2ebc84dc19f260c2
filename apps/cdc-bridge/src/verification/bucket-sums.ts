/** A power of two: with two sides the sums take 2.6 MB, whatever the size of the table. */
export const BUCKETS = 65_536;

/** The bucket that a hash falls into. */
export function bucketOf(hash: Buffer): number {
  return hash.readUInt16LE(hash.length - 2);
}

/** Folds rows into buckets: how many there are, and the sum of 128 bits of their hashes, in whatever order. */
export class BucketSums {
  rows = 0;
  readonly #counts = new Uint32Array(BUCKETS);
  readonly #low = new BigUint64Array(BUCKETS);
  readonly #high = new BigUint64Array(BUCKETS);

  add(bucket: number, hash: Buffer): void {
    this.rows++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    // The arrays keep sums modulo 2^64.
    this.#low[bucket] = (this.#low[bucket] ?? 0n) + hash.readBigUInt64LE(0);
    this.#high[bucket] = (this.#high[bucket] ?? 0n) + hash.readBigUInt64LE(8);
  }

  count(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  /** The buckets whose rows are not the same on both sides. */
  differing(other: BucketSums): Set<number> {
    const found = new Set<number>();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const same =
        this.#counts[bucket] === other.#counts[bucket] &&
        this.#low[bucket] === other.#low[bucket] &&
        this.#high[bucket] === other.#high[bucket];
      if (!same) found.add(bucket);
    }
    return found;
  }
}
