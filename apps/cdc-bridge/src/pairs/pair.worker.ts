import { setTimeout as sleep } from 'node:timers/promises';
import { PageSize } from '../rows/page-size.js';
import { BatchSize } from '../sinks/batch-size.js';
import { SinkError } from '../sinks/sink.error.js';
import { HintQueue } from './hint-queue.js';
import { KeyWaits } from './key-waits.js';
import { everyKey, type Unmapped } from './pair.keys.js';
import { MAX_KEYS, type PairSync } from './pair.sync.js';
import type { Failure, Round, RoundCounts } from './round.js';

/** Beyond so many hints one look at every key is cheaper, and memory stays bounded. */
const MAX_HINTS = 100_000;
/** After so many failures in a row a key is shown as parked, and still tried. */
const ATTEMPTS_BEFORE_SHOWN = 10;
const MAX_BACKOFF_MS = 5_000;
const STEP_PAUSE_MS = 1_000;
/** A key that somebody holds for longer is shown as parked, so that what came after it may be done with. */
const HELD_BEFORE_SHOWN_MS = 5_000;

/** Stands among the keys that are waited for, for a look at every key. */
const EVERYTHING = '';

/** The worker has ended: whoever waited for it asks the next one. */
export class PairStopped extends Error {
  readonly code = 'PAIR_STOPPED';
  readonly canRetry = true;

  constructor() {
    super('the pair was stopped or paused');
  }
}

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
  /** Of a round, by what the rows before it measured. */
  readonly #size = new PageSize();
  readonly #attempts = new Map<string, number>();
  readonly #stale = new Set<string>();
  /** Keys that could not be had: since when, by the monotonic clock, and whether that is shown. */
  readonly #held = new Map<string, { readonly since: number; isShown: boolean }>();
  readonly #waits = new KeyWaits();
  readonly #stop = new AbortController();
  #sweep: AsyncGenerator<string[]> | undefined;
  /** A look at every key was asked for while one was under way, which may have passed what has changed since. */
  #sweepAgain = false;
  /** Resolves when the page that is being read is there. */
  #turning: Promise<void> | undefined;
  #fault: string | undefined;
  /** The keys of the round that is under way. */
  #inHand: readonly string[] = [];

  /**
   * @param maxKeys the most keys of a round
   */
  constructor(
    readonly sync: PairSync,
    readonly unmapped: Unmapped,
    maxKeys = MAX_KEYS,
  ) {
    this.#batch = new BatchSize(Math.min(maxKeys, MAX_KEYS));
  }

  /** A key may differ. */
  hint(key: string): void {
    if (this.#hints.size < MAX_HINTS) this.#hints.add(key);
    else this.checkEverything();
  }

  /**
   * Resolves when each of the keys was looked at from now on and needs nothing more, or is parked. The caller
   * bounds how many it asks for.
   * @throws PairStopped, PairRestored
   */
  async settled(keys: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.#stop.signal.aborted) throw new PairStopped();
    for (const key of keys) this.#hints.add(key);
    await this.#waits.of(keys, signal);
  }

  /** Resolves when every key of both sides was looked at. @throws PairStopped, PairRestored */
  async checkedEverything(signal: AbortSignal): Promise<void> {
    if (this.#stop.signal.aborted) throw new PairStopped();
    this.checkEverything();
    await this.#waits.of([EVERYTHING], signal);
  }

  /** How many keys wait to be looked at. */
  get queued(): number {
    return this.#hints.size;
  }

  /** Every key of both sides may differ: a baseline, a recovery. One under way is finished first. */
  checkEverything(): void {
    if (this.#sweep) this.#sweepAgain = true;
    else this.#sweep = everyKey(this.sync.parts, this.unmapped, (step) => this.#persistently(step));
    this.#hints.wake();
  }

  /** Whether a look at every key is under way. */
  get isCheckingEverything(): boolean {
    return this.#sweep !== undefined;
  }

  /** Why the look at every key does not go on; undefined while it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Nothing is left to look at, as far as this worker knows. */
  get idle(): boolean {
    return this.#inHand.length === 0 && this.#sweep === undefined && this.#hints.size === 0;
  }

  /**
   * Works until `stop`; finishes the round in hand.
   * @throws PairRestored, ColumnsChanged
   */
  async run(): Promise<void> {
    let failure: unknown = new PairStopped();
    try {
      while (!this.#stop.signal.aborted) {
        const keys = this.#hints.take(Math.min(this.#batch.size, this.#size.rows));
        if (keys.length > 0) await this.#round(keys);
        else {
          // Beside the hints: what keeps a page from being read keeps no hint waiting.
          if (this.#sweep) this.#turning ??= this.#turnPage(this.#sweep);
          await this.#hints.changed(this.#stop.signal);
        }
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#stop.abort();
      this.#waits.fail(failure);
      await this.#turning;
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #round(keys: readonly string[]): Promise<void> {
    this.#inHand = keys;
    try {
      const round = await this.sync.round(keys);
      for (const [name, count] of Object.entries(round.counts))
        this.counts[name as keyof RoundCounts] += count;
      this.#size.came(keys.length, round.bytes);
      this.#checkStale(round);
      for (const key of round.again) this.#hints.add(key);
      for (const key of keys) if (!round.wait.has(key)) this.#held.delete(key);
      for (const key of round.wait) await this.#heldUp(key);
      const failed = new Set(round.failures.flatMap((failure) => failure.keys));
      for (const key of keys) if (!failed.has(key) && !round.wait.has(key)) this.#attempts.delete(key);
      for (const failure of round.failures) await this.#failed(failure);
      for (const key of keys) if (!failed.has(key) && !this.#hints.has(key)) this.#waits.settle(key);
      if (failed.size > 0) this.#batch.failed();
      else if (round.again.size > 0 || keys.length === this.#batch.size) this.#batch.succeeded();
    } finally {
      this.#inHand = [];
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

  async #heldUp(key: string): Promise<void> {
    const held = this.#held.get(key) ?? { since: performance.now(), isShown: false };
    this.#held.set(key, held);
    // Soon, however long it has been: a key that many write is free now and then, for a moment.
    this.#hints.addLater(key, 5 + Math.random() * 20);
    if (held.isShown)
      this.#waits.settle(key); // who asked since then knows it as parked
    else if (performance.now() - held.since > HELD_BEFORE_SHOWN_MS)
      held.isShown = await this.#park(key, 'its row, or the key itself, is held by another transaction');
  }

  /** @returns whether it is shown now */
  async #park(key: string, reason: string): Promise<boolean> {
    const { pool, postgres } = this.sync.parts;
    try {
      await postgres.park(pool, key, reason);
      this.#waits.settle(key);
      return true;
    } catch {
      this.#hints.addLater(key, MAX_BACKOFF_MS); // to be tried again
      return false;
    }
  }

  async #turnPage(sweep: AsyncGenerator<string[]>): Promise<void> {
    const page = await sweep.next().catch(() => undefined); // stopped
    this.#turning = undefined;
    if (page?.done) this.#swept();
    for (const key of page?.value ?? []) this.#hints.add(key);
    this.#hints.wake();
  }

  /** Every key was looked at, but for those that wait to be tried again. */
  #swept(): void {
    this.#sweep = undefined;
    if (this.#sweepAgain) {
      this.#sweepAgain = false;
      this.checkEverything();
      return;
    }
    this.#waits.of([...this.#hints.keys(), ...this.#inHand], this.#stop.signal).then(
      // Who asked meanwhile waits for the look that began then.
      () => this.#sweep ?? this.#waits.settle(EVERYTHING),
      () => undefined, // stopped: whoever waits is told so
    );
  }

  /** A step of a look at every key, until it goes well: a database may be away for long. @throws PairStopped */
  async #persistently<T>(step: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#stop.signal.aborted) throw new PairStopped();
      try {
        const result = await step();
        this.#fault = undefined;
        return result;
      } catch (error) {
        this.#fault = error instanceof Error ? error.message : String(error);
        await sleep(STEP_PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }
}
