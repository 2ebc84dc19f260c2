/** Rows of one snapshot are read no farther apart than this, in milliseconds. */
const GAP_MS = 2_000;
/** The runs that are remembered; records of older ones get a name again. */
const MAX_RUNS = 16;

/**
 * Names snapshots where nothing in their records does: Debezium's of MongoDB tell only when each row was read. Rows
 * that were read close together are of one snapshot. A pause makes two of it, which costs a sweep and harms nothing.
 */
export class SnapshotRuns {
  readonly #runs: { readonly name: string; from: number; to: number }[] = [];

  nameOf(at: Date): string {
    const ms = at.getTime();
    const known = this.#runs.find(({ from, to }) => ms >= from - GAP_MS && ms <= to + GAP_MS);
    if (known) {
      known.from = Math.min(known.from, ms);
      known.to = Math.max(known.to, ms);
      return known.name;
    }
    const run = { name: at.toISOString(), from: ms, to: ms };
    this.#runs.push(run);
    if (this.#runs.length > MAX_RUNS) this.#runs.shift();
    return run.name;
  }
}
