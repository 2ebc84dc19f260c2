/** Records that wait for one produce call: all of one partition, in order. */
export interface Batch<T> {
  readonly topic: string;
  readonly partition: number;
  readonly items: readonly T[];
}

export interface Sendable {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
}

export interface SendQueueLimits {
  /** Of one produce call. */
  readonly batchItems: number;
  readonly batchBytes: number;
  /** Of what waits in all; `add` waits for room beyond that. */
  readonly queuedBytes: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends batch after batch, never two at a time: with several sends in flight a failed one gives its sequence numbers
 * back, the next reuses them, and the broker takes that one for a repetition and drops it.
 */
export class SendQueue<T extends Sendable, R> {
  /** By partition, whichever waits longest first. */
  readonly #waiting = new Map<string, Waiting<T, R>[]>();
  #queuedBytes = 0;
  #roomFreed: () => void = () => undefined;
  #lastAdmission: Promise<void> = Promise.resolve();
  #draining: Promise<void> | undefined;

  /** @param send resolves with one result for each item of the batch, in order */
  constructor(
    private readonly send: (batch: Batch<T>) => Promise<readonly R[]>,
    private readonly limits: SendQueueLimits,
  ) {}

  /** Resolves when the item is sent. Where the queue is full it waits for room, in the order of the calls. */
  async add(item: T): Promise<R> {
    const admission = this.#lastAdmission.then(() => this.#room(item.bytes));
    this.#lastAdmission = admission;
    await admission;
    return new Promise<R>((resolve, reject) => {
      const partition = `${item.topic}/${item.partition}`;
      const waiting = this.#waiting.get(partition) ?? [];
      waiting.push({ item, resolve, reject });
      this.#waiting.set(partition, waiting);
      this.#draining ??= this.#drain();
    });
  }

  async #room(bytes: number): Promise<void> {
    while (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.limits.queuedBytes)
      await new Promise<void>((resolve) => {
        this.#roomFreed = resolve;
      });
    this.#queuedBytes += bytes;
  }

  async #drain(): Promise<void> {
    // What is added in one turn of the event loop goes out together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = this.#takeBatch(); batch; batch = this.#takeBatch()) await this.#sendBatch(batch);
    this.#draining = undefined;
  }

  #takeBatch(): Waiting<T, R>[] | undefined {
    for (const [partition, waiting] of this.#waiting) {
      const batch = waiting.splice(0, this.#batchLength(waiting));
      this.#waiting.delete(partition);
      if (waiting.length > 0) this.#waiting.set(partition, waiting);
      return batch;
    }
    return undefined;
  }

  #batchLength(waiting: readonly Waiting<T, R>[]): number {
    let bytes = 0;
    const tooMany = waiting.findIndex(({ item }, index) => {
      bytes += item.bytes;
      return index > 0 && (index >= this.limits.batchItems || bytes > this.limits.batchBytes);
    });
    return tooMany < 0 ? waiting.length : tooMany;
  }

  async #sendBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    const items = batch.map(({ item }) => item);
    const [{ topic, partition }] = items as [T, ...T[]];
    try {
      const results = await this.send({ topic, partition, items });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      for (const { bytes } of items) this.#queuedBytes -= bytes;
      this.#roomFreed();
    }
  }
}
