import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.js';
import { nameOf } from './group-member.js';
import type { RecordConsumerOptions, StoredPosition } from './record-consumer.types.js';
import { PositionOutOfRange, type StartingPoint, startingPoint } from './starting-point.js';
import type { PartitionRange } from './topic-offsets.js';

export interface BeginningsOptions extends Pick<RecordConsumerOptions, 'begin' | 'onLost'> {
  readonly topic: string;
  readonly partition: number;
  /** @throws KafkaBusError */
  readonly range: () => Promise<PartitionRange>;
  readonly log: Log;
}

/** A partition's end can be told too low while its leader changes. */
const BEYOND_END = { readings: 3, pauseMs: 500 };

/** From where a partition goes on, each time that it begins. */
export class Beginnings {
  /** What `onLost` answered. */
  #answer: bigint | undefined;
  /** What 'earliest' came to, until a batch from there is done: no later record becomes the earliest unnoticed. */
  #earliest: bigint | undefined;

  constructor(
    private readonly options: BeginningsOptions,
    private readonly stopping: AbortSignal,
  ) {}

  /** @throws PositionOutOfRange @throws KafkaBusError, and whatever `begin` throws */
  async next(): Promise<{ readonly start: StartingPoint; readonly range: PartitionRange }> {
    const { topic, partition, begin } = this.options;
    const stored = this.#answer ?? (await begin(topic, partition));
    this.#answer = undefined;
    const isEarliest = stored === 'earliest';
    const found = await this.#find(isEarliest ? (this.#earliest ?? stored) : stored);
    this.#earliest = isEarliest ? found.start.next : undefined;
    return found;
  }

  /** A batch is done. */
  progressed(): void {
    this.#earliest = undefined;
  }

  /** Asks where to go on, where that is what is wrong. */
  async failed(error: unknown): Promise<void> {
    const { topic, partition, onLost, log } = this.options;
    if (!(error instanceof PositionOutOfRange)) return;
    try {
      this.#answer = await onLost?.(topic, partition, error.lost);
    } catch (cause) {
      log.error(`${nameOf(this.options)}: nobody says where to go on`, { err: cause });
    }
  }

  async #find(stored: bigint | 'earliest' | StoredPosition) {
    const { topic, partition, range } = this.options;
    for (let reading = 1; ; reading++) {
      const held = await range();
      const start = startingPoint(stored, held);
      if (!('why' in start)) return { start, range: held };
      if (start.position < start.low || reading >= BEYOND_END.readings)
        throw new PositionOutOfRange(topic, partition, start);
      await sleep(BEYOND_END.pauseMs, undefined, { signal: this.stopping });
    }
  }
}
