const FIRST = 10;
const MOST = 1_000;
/** About as many bytes are read at once. */
const WANTED_BYTES = 4 * 1_024 * 1_024;

/** How many rows to ask for next: as many as come to 4 MB, going by the size of those that came last. */
export class PageSize {
  #rows = FIRST;

  get rows(): number {
    return this.#rows;
  }

  came(rows: number, bytes: number): void {
    if (rows === 0) return;
    const fitting = Math.floor(WANTED_BYTES / Math.max(1, bytes / rows));
    this.#rows = Math.max(1, Math.min(MOST, this.#rows * 4, fitting));
  }
}
