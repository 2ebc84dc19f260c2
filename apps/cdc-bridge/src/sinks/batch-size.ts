/**
 * A bound that halves when a batch fails and grows by a quarter when one succeeds: on a hot set of keys most
 * large transactions of MongoDB meet a write conflict, and small ones few.
 */
export class BatchSize {
  #size: number;

  /** @param max the bound to begin with, and never to pass; at least 1 */
  constructor(readonly max: number) {
    if (!Number.isInteger(max) || max < 1) throw new RangeError(`a batch of ${max}`);
    this.#size = max;
  }

  get size(): number {
    return this.#size;
  }

  succeeded(): void {
    this.#size = Math.min(this.max, this.#size + Math.ceil(this.#size / 4));
  }

  failed(): void {
    this.#size = Math.max(1, this.#size >> 1);
  }
}
