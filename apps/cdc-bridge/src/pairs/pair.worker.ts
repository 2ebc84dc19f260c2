import { BatchSize } from '../sinks/batch-size.js';
import { SinkError } from '../sinks/sink.error.js';
import type { BsonValue } from '../values/bson-value.js';
import { ValueFault } from '../values/value.fault.js';
import { HintQueue } from './hint-queue.js';
import { MAX_KEYS, type PairSync } from './pair.sync.js';
import type { Failure, Round, RoundCounts } from './round.js';

/** Beyond so many hints one look at every key is cheaper, and memory stays bounded. */
const MAX_HINTS = 100_000;
/** After so many failures in a row a key is shown as parked, and still tried. */
const ATTEMPTS_BEFORE_SHOWN = 10;
const MAX_BACKOFF_MS = 5_000;

/** Postgres holds an older state than MongoDB knows of: it was restored from a copy. The pair must be repaired. */
export class PairRestored extends Error {
  readonly code = 'PAIR_RESTORED';
  readonly canRetry = false;

  constructor(readonly key: string) {
    super(
      `the ledger is older than the base of ${key}: was Postgres restored? repair the pair from one side`,
    );
  }
}

/**
 * Keeps a pair equal: takes hints, runs rounds until nothing is left of them, waits.
 *
 * hint → ready → round → nothing: done · written: ready again · locked or failed: delayed, then ready
 *                      · refused, alone in its round: parked, until the next hint
 */
export class PairWorker {
  readonly counts: RoundCounts = { nothing: 0, docs: 0, rows: 0, bases: 0, conflicts: 0 };
  readonly #hints = new HintQueue();
  readonly #batch: BatchSize;
  readonly #attempts = new Map<string, number>();
  readonly #stale = new Set<string>();
  readonly #stop = new AbortController();
  #sweep: AsyncGenerator<string[]> | undefined;
  #busy = false;

  /**
   * @param unmapped is told of a document whose `_id` stands for no key of the table
   * @param maxKeys the most keys of a round
   */
  constructor(
    readonly sync: PairSync,
    readonly unmapped: (id: BsonValue, fault: ValueFault) => void,
    maxKeys = MAX_KEYS,
  ) {
    this.#batch = new BatchSize(Math.min(maxKeys, MAX_KEYS));
  }

  /** A key may differ. */
  hint(key: string): void {
    if (this.#hints.size < MAX_HINTS) this.#hints.add(key);
    else this.checkEverything();
  }

  /** The document with this `_id` may differ from its row. */
  hintDocument(id: BsonValue): void {
    const key = this.#keyOf(id);
    if (key !== undefined) this.hint(key);
  }

  /** Every key of both sides may differ: a baseline, a recovery, a periodic check. */
  checkEverything(): void {
    this.#sweep = this.#everything();
    this.#hints.wake();
  }

  /** Nothing is left to look at, as far as this worker knows. */
  get idle(): boolean {
    return !this.#busy && this.#sweep === undefined && this.#hints.size === 0;
  }

  /**
   * Works until `stop`; finishes the round in hand.
   * @throws PairRestored
   */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const keys = this.#hints.take(this.#batch.size);
      if (keys.length > 0) await this.#round(keys);
      else if (this.#sweep) await this.#turnPage(this.#sweep);
      else await this.#hints.changed(this.#stop.signal);
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #round(keys: readonly string[]): Promise<void> {
    this.#busy = true;
    try {
      const round = await this.sync.round(keys);
      for (const [name, count] of Object.entries(round.counts))
        this.counts[name as keyof RoundCounts] += count;
      this.#checkStale(round);
      for (const key of round.again) this.#hints.add(key);
      for (const key of round.wait) this.#hints.addLater(key, 5 + Math.random() * 20);
      const failed = new Set(round.failures.flatMap((failure) => failure.keys));
      for (const key of keys) if (!failed.has(key) && !round.wait.has(key)) this.#attempts.delete(key);
      for (const failure of round.failures) await this.#failed(failure);
      if (failed.size > 0) this.#batch.failed();
      else if (round.again.size > 0) this.#batch.succeeded();
    } finally {
      this.#busy = false;
    }
  }

  /** The first stale reading of a key may be this worker's own lateness; the second is not. */
  #checkStale(round: Round): void {
    for (const key of round.keys) {
      if (!round.staleKeys.has(key)) this.#stale.delete(key);
      else if (this.#stale.has(key)) throw new PairRestored(key);
      else {
        this.#stale.add(key);
        this.#hints.addLater(key, 50);
      }
    }
  }

  async #failed({ keys, error }: Failure): Promise<void> {
    for (const key of keys) {
      const attempts = (this.#attempts.get(key) ?? 0) + 1;
      this.#attempts.set(key, attempts);
      const alone = keys.length === 1;
      const parks = alone && !error.canRetry;
      const isDown = error instanceof SinkError && error.code === 'SINK_UNAVAILABLE';
      if (parks || (alone && attempts >= ATTEMPTS_BEFORE_SHOWN && !isDown))
        await this.#park(key, error.message);
      if (parks) this.#attempts.delete(key);
      else
        this.#hints.addLater(
          key,
          Math.min(MAX_BACKOFF_MS, 5 * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random()),
        );
    }
  }

  async #park(key: string, reason: string): Promise<void> {
    const { pool, postgres } = this.sync.parts;
    try {
      await postgres.park(pool, key, reason);
    } catch {
      this.#hints.addLater(key, MAX_BACKOFF_MS); // not shown, so to be tried again
    }
  }

  async #turnPage(sweep: AsyncGenerator<string[]>): Promise<void> {
    try {
      const page = await sweep.next();
      if (page.done && this.#sweep === sweep) this.#sweep = undefined;
      for (const key of page.value ?? []) this.#hints.add(key);
    } catch {
      this.#sweep = this.#everything(); // a database is away: from the beginning, once it is back
      await this.#pause();
    }
  }

  async *#everything(): AsyncGenerator<string[]> {
    const { pool, postgres, mongo } = this.sync.parts;
    yield* postgres.everyKey(pool);
    yield* mongo.everyBase();
    for await (const ids of mongo.everyId()) yield ids.flatMap((id) => this.#keyOf(id) ?? []);
  }

  #keyOf(id: BsonValue): string | undefined {
    try {
      return this.sync.parts.mapping.key.textOf(id);
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      this.unmapped(id, error);
      return undefined;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
