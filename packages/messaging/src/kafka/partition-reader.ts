import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../middleware/backoff.js';
import { settlesWithin } from '../settles-within.js';
import { Beginnings, type BeginningsOptions } from './beginnings.js';
import { nameOf } from './group-member.js';
import { type BatchLimits, type Fetched, RecordBuffer } from './record-buffer.js';
import type { ConsumedPartition, LostPosition, RecordConsumerOptions } from './record-consumer.types.js';
import { isSameTopic, PositionOutOfRange, type StartingPoint } from './starting-point.js';
import type { PartitionRange } from './topic-offsets.js';

/** The fetching of one partition. */
export interface Fetching {
  seek(offset: bigint): void;
  pause(): void;
  resume(): void;
}

export interface PartitionReaderOptions extends BeginningsOptions, Pick<RecordConsumerOptions, 'handle'> {
  readonly limits: BatchLimits;
  readonly backoff: Backoff;
  readonly fetching: Fetching;
}

/** A full buffer may hold up the fetching of its broker's other partitions for so long; then it is paused. */
const IN_PLACE_MS = 100;

/**
 * One assigned partition:
 *
 *     beginning → reading: `begin` was answered and its position is in the topic; fetching was sought there
 *     reading → beginning: the group assigned it again; a batch in hand is finished first
 *     either → failed → beginning, after a growing pause: something rejected, or a fetch was not the one expected
 *     any → ended: lost, or closing
 *
 * While it does not read, its fetching is paused. A fetch counts only where it begins at the offset that comes next:
 * one from before a seek, or from where KafkaJS reset an offset that the topic does not hold, is dropped.
 */
export class PartitionReader {
  readonly #signal = new AbortController();
  readonly #stopping = new AbortController();
  readonly #beginnings: Beginnings;
  readonly #ended: Promise<void>;
  #assignments = 1;
  #buffer: RecordBuffer | undefined;
  #witness: StartingPoint['witness'];
  #position: bigint | undefined;
  #end: bigint | undefined;
  /** What the partition held when it began. */
  #range: PartitionRange | undefined;
  #isPaused = false;
  #fault: string | undefined;
  /** Where `handle` rejected: its fault is over when a batch from there is done, or others have done it. */
  #faultAt: bigint | undefined;

  /** @param after the end of an earlier reader of the partition, which may still have a batch in hand */
  constructor(
    private readonly options: PartitionReaderOptions,
    after: Promise<void> = Promise.resolve(),
  ) {
    this.#beginnings = new Beginnings(options, this.#stopping.signal);
    this.#pause();
    this.#fault = 'waits for a batch that was in hand when the partition was lost';
    this.#ended = after.then(() => this.#live());
  }

  /** Resolves when it is stopped or lost, and nothing of it is in hand. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get progress(): ConsumedPartition {
    const { topic, partition } = this.options;
    return { topic, partition, position: this.#position, end: this.#end };
  }

  get fault(): string | undefined {
    return this.#fault && `${nameOf(this.options)}@${this.#position ?? '?'}: ${this.#fault}`.slice(0, 500);
  }

  /** The offset to be fetched next, while it reads. */
  get fetchPosition(): bigint | undefined {
    return this.#buffer?.next;
  }

  /** The partition was assigned again: positions may have moved meanwhile. */
  beginAgain(): void {
    this.#assignments++;
    this.#stopReading();
  }

  /**
   * @param from the offset that was asked for
   * @returns whether the fetch was the one expected
   */
  receive(from: bigint, fetched: Fetched, end?: bigint): boolean {
    const buffer = this.#buffer;
    if (!buffer) return false;
    if (from !== buffer.next) {
      this.#stopReading(new Error(`a fetch from ${from} came where ${buffer.next} comes next`));
      return false;
    }
    if (this.#witness && !isSameTopic(this.#witness, fetched.records[0])) {
      this.#stopReading(this.#recreated());
      return false;
    }
    this.#witness = undefined;
    if (end !== undefined) this.#end = end;
    buffer.add(fetched);
    return true;
  }

  /** Waits a little for a full buffer; then fetching is paused until there is room. */
  async room(): Promise<void> {
    const buffer = this.#buffer;
    if (!buffer?.isFull || (await settlesWithin(buffer.room(), IN_PLACE_MS))) return;
    if (buffer === this.#buffer && buffer.isFull) this.#pause();
  }

  /** @param fetched where fetching was before the range was asked for */
  check({ low, high }: PartitionRange, fetched: bigint): void {
    if (this.#buffer && (fetched < low || fetched > high))
      this.#stopReading(new Error(`the topic holds offsets from ${low} to ${high}, and not ${fetched}`));
    if (this.#end === undefined || high > this.#end) this.#end = high;
  }

  /** Finishes the batch in hand, and begins no other. */
  stop(): void {
    this.#stopping.abort();
    this.#stopReading();
  }

  /** The partition is lost, or time is up: the batch in hand is told. */
  abort(why: string): void {
    this.stop();
    this.#signal.abort(new Error(why));
  }

  async #live(): Promise<void> {
    const { backoff, log } = this.options;
    this.#fault = undefined;
    for (let failures = 0; !this.#stopping.signal.aborted; ) {
      try {
        const buffer = await this.#begin();
        if (buffer)
          await this.#read(buffer, () => {
            failures = 0;
            this.#fault = undefined;
          });
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        failures++;
        this.#faultAt = this.#buffer && this.#position;
        this.#stopReading();
        this.#fault = describe(error);
        const pauseMs = backoffMs(backoff, failures);
        log.warn(`${nameOf(this.options)} begins again`, { err: error, pauseMs });
        await this.#beginnings.failed(error);
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  /** @returns undefined where the partition was assigned again meanwhile */
  async #begin(): Promise<RecordBuffer | undefined> {
    const assignments = this.#assignments;
    const { start, range } = await this.#beginnings.next();
    if (assignments !== this.#assignments || this.#stopping.signal.aborted) return undefined;
    if (this.#faultAt !== start.next) this.#fault = undefined;
    this.#position = start.next;
    this.#range = range;
    this.#end = range.high;
    this.#witness = start.witness;
    this.#buffer = new RecordBuffer(this.options.limits, start.next, start.fetchFrom);
    this.options.fetching.seek(start.fetchFrom);
    this.#resume();
    return this.#buffer;
  }

  async #read(buffer: RecordBuffer, onProgress: () => void): Promise<void> {
    const { topic, partition, handle } = this.options;
    const signal = this.#signal.signal;
    for (;;) {
      const taken = await buffer.take();
      if (!taken) return;
      if (!buffer.isFull && buffer === this.#buffer) this.#resume();
      const end = this.#end !== undefined && this.#end > taken.next ? this.#end : taken.next;
      await handle({ topic, partition, ...taken, end, signal });
      if (signal.aborted) return;
      this.#position = taken.next;
      this.#beginnings.progressed();
      onProgress();
    }
  }

  #stopReading(failure?: Error): void {
    this.#pause();
    this.#buffer?.close(failure);
    this.#buffer = undefined;
  }

  #pause(): void {
    if (!this.#isPaused) this.options.fetching.pause();
    this.#isPaused = true;
  }

  #resume(): void {
    if (this.#isPaused) this.options.fetching.resume();
    this.#isPaused = false;
  }

  #recreated(): PositionOutOfRange {
    const { low = 0n, high = 0n } = this.#range ?? {};
    const lost: LostPosition = { why: 'recreated', position: this.#position ?? low, low, high };
    return new PositionOutOfRange(this.options.topic, this.options.partition, lost);
  }
}

function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `fails and begins again: ${typeof code === 'string' ? `${code}, ` : ''}${text}`;
}
