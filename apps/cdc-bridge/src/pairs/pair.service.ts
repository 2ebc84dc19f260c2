import { setTimeout as delay } from 'node:timers/promises';
import type { NamedDatabases } from '../databases/named-databases.js';
import type { TwoWayPipeline } from '../pipelines/pipeline.schema.js';
import type { Conflict } from './conflict.log.js';
import { endIdleTransactions } from './idle-transactions.js';
import { PairConnections } from './pair.connections.js';
import { NO_COUNTS, PairCounts, sum } from './pair.counts.js';
import type { Side } from './pair.decision.js';
import { drained } from './pair.drain.js';
import { reportsOf } from './pair.mapping.js';
import { type PairPlan, planPair } from './pair.plan.js';
import { repairFrom } from './pair.repair.js';
import { type PairDeps, PairRun } from './pair.run.js';
import { deadlockReports } from './pair.session.js';
import { lagOf, type PairState, type PairStatus, type Refused, readRefused } from './pair.status.js';
import { type PairParts, PairSync } from './pair.sync.js';
import { type PairVerification, verifyPair } from './pair.verify.js';
import { PairRestored, PairStopped } from './pair.worker.js';
import { INSTANCE_PATIENCE } from './patience.js';
import { ColumnsChanged } from './postgres.side.js';
import type { RoundCounts } from './round.js';

const RETRY_MS = 1_000;
const COUNT_EVERY_MS = 1_000;

/** Keeps one pair equal, for as long as the process lives. */
export class PairService {
  readonly #connections: PairConnections;
  readonly #closed = new AbortController();
  #state: PairState = 'starting';
  #paused = false;
  #restored: PairRestored | undefined;
  #lastError: PairStatus['lastError'] = null;
  /** Of the runs that have ended. */
  #done: RoundCounts = NO_COUNTS;
  readonly #counts: PairCounts;
  #refused: Refused = { parked: { count: 0, sample: [] }, unmapped: { count: 0, sample: [] } };
  #run: PairRun | undefined;
  /** Resolves when the run that is under way has ended. */
  #running: Promise<unknown> = Promise.resolve();
  #reports: readonly string[] = [];
  /** Ends the run, or the pause, that is under way; then the pair does as it is asked by then. */
  #turn = new AbortController();
  #exclusive: Promise<unknown> = Promise.resolve();
  /** Ends the repair from a side that is under way. */
  #repair = new AbortController();
  /** A repair from a side has the pair to itself. */
  #isHeld = false;
  #life: Promise<unknown> = Promise.resolve();

  constructor(
    readonly pipeline: TwoWayPipeline,
    databases: NamedDatabases,
    private readonly deps: PairDeps,
  ) {
    this.#connections = new PairConnections(pipeline, databases);
    const { pool, tables } = this.#connections;
    this.#counts = new PairCounts(pool, tables, () => sum(this.#done, this.#run?.worker.counts ?? NO_COUNTS));
  }

  /**
   * Returns at once: a pair whose databases are away begins when they are back.
   * @param agreed resolves once it is known whether the pair is paused
   */
  start(agreed: Promise<void> = Promise.resolve()): void {
    this.#life = Promise.all([this.#live(agreed), this.#reap(), this.#count()]);
  }

  /** Finishes what is in hand. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#turn.abort();
    this.#repair.abort(new PairStopped());
    await this.#life;
    await this.#exclusive;
    await this.#counts.tell();
    await this.#connections.close();
    this.#state = 'closed';
  }

  /** Resolves when nothing is written any more by this instance. */
  async pause(): Promise<void> {
    this.#paused = true;
    this.#turn.abort();
    this.#repair.abort(new PairStopped());
    await this.#running;
    await this.#exclusive;
  }

  resume(): void {
    this.#paused = false;
    this.#turn.abort();
  }

  /** Whether this instance works on the pair now. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Why the pair does not do its work; empty while it does. */
  reasons(): string[] {
    const { name } = this.pipeline;
    if (this.#state === 'running') return this.#run?.reasons() ?? [];
    if (this.#state === 'paused') return [];
    return [`pair ${name} is ${this.#state}${this.#lastError ? `: ${this.#lastError.message}` : ''}`];
  }

  /** While a database is away, what it last told. */
  async refused(): Promise<Refused> {
    const last = this.#refused;
    this.#refused = await readRefused(this.#connections, this.#run?.unmapped, last).catch(() => last);
    return this.#refused;
  }

  /** Of all instances, but for what waits in this one's hands. */
  async status(): Promise<PairStatus> {
    const run = this.#run;
    const refused = await this.refused();
    return {
      state: this.#state,
      lastError: this.#lastError,
      counts: await this.#counts.read(),
      queued: run?.worker.queued ?? 0,
      lag: await lagOf(this.#connections, this.deps.offsets).catch(() => null),
      inHandSince: run?.inHandSince ?? null,
      reports: this.#reports,
      ...refused,
    };
  }

  /** What a check of everything would do now. @throws SinkError, PairNotPrepared, ColumnsChanged */
  async plan(signal: AbortSignal): Promise<PairPlan> {
    return await planPair(new PairSync(await this.#connections.parts()), signal);
  }

  /** @throws SinkError, PairNotPrepared, ColumnsChanged */
  async verify(signal: AbortSignal): Promise<PairVerification> {
    const sync = new PairSync(await this.#connections.parts());
    return await verifyPair(sync, (until) => this.drained(until), signal);
  }

  /**
   * Looks at every key, and makes both sides equal. With `from`, that side wins wherever they differ, whatever
   * the pair remembers: for a database that was restored from a copy.
   * @throws PairStopped where the pair does not run, or is paused meanwhile; ColumnsChanged
   */
  async repair(signal: AbortSignal, from?: Side): Promise<void> {
    if (from === undefined) {
      if (!this.#run) throw new PairStopped();
      await this.#run.worker.checkedEverything(signal);
      return;
    }
    const work = this.#exclusive.then(() => this.#repairFrom(from, signal));
    this.#exclusive = work.catch(() => undefined);
    await work;
  }

  async #repairFrom(from: Side, signal: AbortSignal): Promise<void> {
    if (this.#paused || this.#closed.signal.aborted) throw new PairStopped();
    this.#repair = new AbortController();
    this.#isHeld = true;
    this.#turn.abort();
    await this.#running;
    try {
      const bounded = AbortSignal.any([signal, this.#repair.signal]);
      const counts = await repairFrom(from, await this.#connections.parts(), bounded);
      this.#done = sum(this.#done, counts);
      this.#restored = undefined;
    } finally {
      this.#isHeld = false;
      this.#turn.abort();
    }
  }

  /** Lets every key be looked at, where this instance works on the pair; otherwise that is how it begins. */
  checkEverything(): void {
    this.#run?.worker.checkEverything();
  }

  /**
   * Resolves when every change that was committed on either side before this call has been looked at; at once
   * while the pair does not run, because nobody looks.
   */
  async drained(signal: AbortSignal): Promise<void> {
    await drained(this.#connections, this.deps, () => this.#state === 'running', signal);
  }

  /** The newest first. @param before the id of the last one of the page before. @throws ConflictUnknown */
  async conflicts(limit = 50, before?: string): Promise<Conflict[]> {
    return await this.#connections.conflicts.page(limit, before);
  }

  /** Puts a loser back by an ordinary edit of its side, which then reaches the other. @throws ConflictUnknown */
  async restoreLoser(conflict: string): Promise<void> {
    await this.#connections.conflicts.restore(conflict);
  }

  async #live(agreed: Promise<void>): Promise<void> {
    await Promise.race([agreed, once(this.#closed.signal)]);
    while (!this.#closed.signal.aborted) {
      this.#turn = new AbortController();
      const turned = once(this.#turn.signal);
      try {
        if (this.#paused || this.#isHeld) {
          this.#state = 'paused';
          await turned;
        } else await this.#work(turned);
      } catch (error) {
        this.#failed(error);
        await Promise.race([turned, delay(RETRY_MS)]);
      }
    }
  }

  async #work(turned: Promise<void>): Promise<void> {
    const parts = await this.#connections.parts();
    await this.#counts.read();
    await this.#tellReports(parts);
    await this.deps.checkTopics?.();
    await this.#checkRestored(parts);
    await this.#tellBaseline(parts);
    if (this.#turn.signal.aborted) return;
    const run = new PairRun(this.#connections, parts, this.deps, () => this.#turn.abort());
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#run = run;
    this.#state = 'running';
    this.#lastError = null;
    try {
      await Promise.race([turned, run.ended]);
    } catch (error) {
      if (!(error instanceof ColumnsChanged)) throw error; // begins anew, with the columns as they are now
    } finally {
      await run.stop();
      this.#done = sum(this.#done, run.worker.counts);
      this.#run = undefined;
      resolve();
    }
  }

  /** What cannot be kept exactly, or kept from applications: once, and again when it has changed. */
  async #tellReports({ mapping, pool }: PairParts): Promise<void> {
    const told = new Set(this.#reports);
    const losses = reportsOf(this.pipeline.between[0].table, mapping);
    this.#reports = [...losses, ...(await deadlockReports(pool))];
    for (const report of this.#reports)
      if (!told.has(report)) this.deps.log.info(report, { pipeline: this.pipeline.name });
  }

  /** Stands until the key is no longer stale: repaired here, or by another instance. */
  async #checkRestored(parts: PairParts): Promise<void> {
    if (!this.#restored) return;
    const { looks } = await new PairSync(parts).look([this.#restored.key]);
    if (looks.some(({ decision }) => decision.go === 'stale')) throw this.#restored;
    this.#restored = undefined;
  }

  /** Before the pair writes for the first time: what it is about to do, with each conflict and refusal by name. */
  async #tellBaseline(parts: PairParts): Promise<void> {
    const { mongo } = this.#connections;
    if ((await mongo.baselineAt()) !== null) return;
    const { log } = this.deps;
    const what = `pair ${this.pipeline.name}: the first baseline`;
    const plan = await planPair(new PairSync(parts), this.#closed.signal, (key) =>
      log.info(`${what} meets a ${key.refused === undefined ? 'conflict' : 'refusal'}`, { ...key }),
    );
    log.info(what, { plan });
    await mongo.beginBaseline(plan);
  }

  #failed(error: unknown): void {
    const { name } = this.pipeline;
    const { code = 'UNKNOWN', message } = error as Error & { code?: string };
    if (error instanceof PairRestored) this.#restored = error;
    this.#state = error instanceof PairRestored ? 'restored' : 'waiting';
    if (this.#lastError?.message !== message) {
      const write = error instanceof PairRestored ? this.deps.log.error : this.deps.log.warn;
      write.call(this.deps.log, `pair ${name} is ${this.#state}: ${message}`, { err: error });
      this.deps.onError?.({ code, message });
    }
    this.#lastError = { code, message };
  }

  /** Tells the other instances, also where nobody asks this one. */
  async #count(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await delay(COUNT_EVERY_MS, undefined, { signal: this.#closed.signal }).catch(() => undefined);
      if (this.#run) await this.#counts.tell();
    }
  }

  /** Ends what killed workers of this pair left open, in any process; from the first moment, and while it rests. */
  async #reap(): Promise<void> {
    const { client, appName } = this.#connections;
    const { lookEveryMs, idleMs } = INSTANCE_PATIENCE;
    while (!this.#closed.signal.aborted) {
      await endIdleTransactions(client, appName, idleMs).catch(() => undefined); // MongoDB is away: so are its transactions
      await delay(lookEveryMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
