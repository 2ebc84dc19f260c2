import { setTimeout as sleep } from 'node:timers/promises';

/** How often the columns are looked at, in milliseconds. */
const EVERY_MS = 10_000;

/** Watches the columns of a table that something was opened over, and that it knows no better than at that time. */
export class ColumnWatch {
  #known = '';

  constructor(
    private readonly read: () => Promise<unknown>,
    private readonly everyMs = EVERY_MS,
  ) {}

  /** Opens what depends on the columns. @throws what reading them throws, or opening: then those before count */
  async opening<T>(open: () => Promise<T>): Promise<T> {
    // Read before it is opened: a change in between is seen with the next look.
    const columns = JSON.stringify(await this.read());
    const opened = await open();
    this.#known = columns;
    return opened;
  }

  /** Resolves when the columns are no more as they were then; not while the database is away. @throws when aborted */
  async changed(signal: AbortSignal): Promise<void> {
    for (let now = this.#known; now === this.#known; ) {
      await sleep(this.everyMs, undefined, { signal });
      now = await this.read().then(JSON.stringify, () => this.#known);
    }
  }
}
