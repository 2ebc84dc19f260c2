import { PageSize } from '../rows/page-size.js';
import { type Look, MAX_KEYS, type PairSync } from './pair.sync.js';

/** Looks at keys of a pair, so many at once as are no more than some megabytes, going by those before. */
export class PairLooks {
  readonly #size = new PageSize();

  constructor(
    private readonly sync: PairSync,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws SinkError where a database does not answer; the signal's reason */
  async *at(keys: readonly string[]): AsyncGenerator<Look> {
    for (let i = 0; i < keys.length; ) {
      this.signal.throwIfAborted();
      const page = keys.slice(i, i + Math.min(MAX_KEYS, this.#size.rows));
      const { looks, bytes } = await this.sync.look(page);
      this.#size.came(page.length, bytes);
      yield* looks;
      i += page.length;
    }
  }
}
