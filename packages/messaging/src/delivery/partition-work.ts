import type { Log } from '../log.js';
import type { Deliver } from '../middleware/middleware.js';
import { AbandonedError, type IncomingRecord } from './delivery.js';

export interface PartitionWorkOptions {
  readonly topic: string;
  readonly partition: number;
  readonly group: string;
  readonly deliver: Deliver;
  /** Stores how far the partition is handled. A refusal does no harm: the records come again. */
  readonly commit: (nextOffset: bigint) => Promise<void>;
  readonly log: Log;
}

/** In a long batch, progress is committed so often. */
const COMMIT_EVERY_MS = 1_000;

/** One assigned partition: the batch in hand, how far it came, and when it has to end. */
export class PartitionWork {
  readonly #signal = new AbortController();
  readonly #stopping = new AbortController();
  #position: bigint | undefined;
  #isBusy = false;

  constructor(private readonly options: PartitionWorkOptions) {}

  get topic(): string {
    return this.options.topic;
  }

  get partition(): number {
    return this.options.partition;
  }

  /** The offset that comes next; undefined before the first batch. */
  get position(): bigint | undefined {
    return this.#position;
  }

  /** Aborted when no other record is to be begun. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Offsets that hold no record for anyone (transaction markers, aborted records) count as handled. */
  passOver(nextOffset: bigint): void {
    if (!this.#isBusy) this.#position = nextOffset;
  }

  /**
   * Handles a batch in order, each record until it is done. Never rejects; `position` tells how far it came.
   *
   * @param nextOffset the offset after the batch: later than its last record where transaction markers follow
   */
  handle(records: readonly IncomingRecord[], nextOffset: bigint): Promise<void> {
    this.#position = records[0]?.offset ?? nextOffset;
    this.#isBusy = true;
    return this.#handle(records, nextOffset).finally(() => {
      this.#isBusy = false;
    });
  }

  /** Lets the record in hand finish, and begins no other attempt. */
  stop(): void {
    this.#stopping.abort();
  }

  /** The partition is lost, or time is up: handlers are told, and nothing more is committed. */
  abort(why: string): void {
    this.#stopping.abort();
    this.#signal.abort(new Error(why));
  }

  async #handle(records: readonly IncomingRecord[], nextOffset: bigint): Promise<void> {
    const { group, deliver, log } = this.options;
    const signal = this.#signal.signal;
    const stopping = this.#stopping.signal;
    const begun = this.#position;
    let committedAt = performance.now();
    for (const [index, record] of records.entries()) {
      if (stopping.aborted) break;
      try {
        await deliver({ record, group, signal, stopping });
      } catch (error) {
        if (!(error instanceof AbandonedError))
          log.error('a record was left by a fault of the chain', { err: error });
        break;
      }
      if (signal.aborted) return;
      this.#position = index === records.length - 1 ? nextOffset : record.offset + 1n;
      if (performance.now() - committedAt > COMMIT_EVERY_MS) {
        await this.#commit();
        committedAt = performance.now();
      }
    }
    if (this.#position !== begun) await this.#commit();
  }

  async #commit(): Promise<void> {
    if (this.#signal.signal.aborted || this.#position === undefined) return;
    await this.options.commit(this.#position);
  }
}
