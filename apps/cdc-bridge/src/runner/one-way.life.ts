import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs, type Log } from '@millrace/messaging';
import type { ColumnWatch } from './column-watch.js';
import { describeFailure } from './failure.js';
import type { OneWayParts } from './one-way.parts.js';
import type { PipelineRunner } from './pipeline.runner.js';

export interface OneWayLifeOptions {
  readonly pipeline: string;
  readonly log: Log;
  /** Of the table that is written; none where the target has no columns. */
  readonly columns: ColumnWatch | undefined;
  /** @throws Error that names what is missing; what the databases throw while they are away */
  open(): Promise<OneWayParts>;
  /** A runner that has not started. */
  runnerOver(parts: OneWayParts): PipelineRunner;
}

const REOPEN = { firstMs: 500, maxMs: 10_000 };

/**
 * The ends of a one-way pipeline in this process, and the one runner over them:
 *
 * opening → running → closed
 *   · something is missing or away: tried again, for ever
 *   · the target's columns have changed: opened anew beside the runner, which then gives way to another; what it had
 *     in hand is finished, or begun again by the other from its checkpoint
 */
export class OneWayLife {
  readonly #closed = new AbortController();
  #parts: OneWayParts | undefined;
  #runner: PipelineRunner | undefined;
  #fault: string | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(private readonly options: OneWayLifeOptions) {}

  /** Undefined until they have been opened. */
  get parts(): OneWayParts | undefined {
    return this.#parts;
  }

  /** Undefined until it has started. */
  get runner(): PipelineRunner | undefined {
    return this.#runner;
  }

  /** Why the pipeline has not started. A runner tells its own faults. */
  get fault(): string | undefined {
    return this.#runner ? undefined : this.#fault;
  }

  start(): void {
    this.#ended = this.#live();
  }

  /** Finishes the batches in hand, within a bounded time. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#ended;
    await this.#runner?.close();
  }

  async #live(): Promise<void> {
    const { columns, open } = this.options;
    const { signal } = this.#closed;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const parts = await (columns ? columns.opening(open) : open());
        if (signal.aborted) return;
        await this.#runOver(parts);
        if (!columns) return;
        attempt = 0;
        await columns.changed(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(error);
        await sleep(backoffMs(REOPEN, attempt), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #runOver(parts: OneWayParts): Promise<void> {
    const { pipeline, log, runnerOver } = this.options;
    const fields = { pipeline };
    if (this.#runner) log.info('the columns of its table have changed: it is opened anew', fields);
    await this.#runner?.close();
    for (const report of parts.route.reports) log.info(report, fields);
    this.#parts = parts;
    this.#runner = runnerOver(parts);
    if (!this.#closed.signal.aborted) this.#runner.start();
    this.#fault = undefined;
  }

  #tell(error: unknown): void {
    const { pipeline, log } = this.options;
    const { code, text } = describeFailure(error);
    const what = this.#runner ? 'the columns of its table have changed' : 'cannot start yet';
    if (this.#fault !== text) log.warn(`${what}: ${text}`, { pipeline, code });
    this.#fault = text;
  }
}
