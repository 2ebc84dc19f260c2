import type { Log } from '../log.js';
import type { InboxStore } from './inbox-store.js';

const BATCH = 1_000;
const EVERY_MS = 10 * 60_000;

export interface InboxPrunerOptions {
  readonly store: InboxStore;
  /** At least the longest retention among the subscribed topics: what the log can still deliver must be known. */
  readonly retentionMs: number;
  readonly log: Log;
  readonly everyMs?: number;
}

/** Removes inbox rows that are older than the log, in small statements, at start and then at a fixed pace. */
export class InboxPruner {
  #timer: NodeJS.Timeout | undefined;
  #pruning: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(private readonly options: InboxPrunerOptions) {}

  start(): void {
    this.#prune();
    this.#timer = setInterval(() => this.#prune(), this.options.everyMs ?? EVERY_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#pruning;
  }

  #prune(): void {
    const { store, retentionMs, log } = this.options;
    const before = new Date(Date.now() - retentionMs);
    this.#pruning = this.#pruning
      .then(async () => {
        while (!this.#isClosed && (await store.prune(before, BATCH)) === BATCH);
      })
      .catch((error: Error) => log.warn('the inbox could not be pruned', { err: error }));
  }
}
