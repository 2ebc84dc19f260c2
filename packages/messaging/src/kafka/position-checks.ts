import type { Consumer } from 'kafkajs';
import type { Log } from '../log.js';
import { settlesWithin } from '../settles-within.js';
import { nameOf } from './group-member.js';
import type { PartitionReader } from './partition-reader.js';
import type { TopicOffsets } from './topic-offsets.js';

export interface PositionChecksOptions {
  readonly offsets: TopicOffsets;
  readonly readers: () => readonly PartitionReader[];
  readonly everyMs: number;
  readonly log: Log;
}

const COMMIT_MS = 5_000;

/**
 * At a fixed pace: are the positions still in their topics (KafkaJS waits at the other end of a topic that was emptied
 * or made anew, without a word), and commits them to the group, where nothing but Kafka's tools and lag monitors read
 * them.
 */
export class PositionChecks {
  /** Whose group the positions are committed to, while there is one. */
  committer: Consumer | undefined;
  readonly #committed = new Map<string, bigint>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;

  constructor(private readonly options: PositionChecksOptions) {}

  start(): void {
    this.#timer ??= setInterval(() => {
      this.#running ??= Promise.all([this.#check(), this.#commit()]).finally(() => {
        this.#running = undefined;
      });
    }, this.options.everyMs);
  }

  /** Commits once more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#commit();
  }

  async #check(): Promise<void> {
    const reading = this.options.readers().flatMap((reader) => {
      const { fetchPosition: fetched } = reader;
      return fetched === undefined ? [] : [{ reader, fetched, ...reader.progress }];
    });
    for (const topic of new Set(reading.map((entry) => entry.topic))) {
      try {
        const ranges = await this.options.offsets.ranges(topic);
        for (const { reader, fetched, partition } of reading.filter((entry) => entry.topic === topic)) {
          const range = ranges.find((entry) => entry.partition === partition);
          if (range) reader.check(range, fetched);
        }
      } catch (error) {
        this.options.log.warn(`positions in ${topic} are not checked`, { err: error });
      }
    }
  }

  async #commit(): Promise<void> {
    const moved = this.options.readers().flatMap(({ progress }) => {
      const { position } = progress;
      const name = nameOf(progress);
      return position === undefined || position === this.#committed.get(name)
        ? []
        : [{ ...progress, name, position }];
    });
    if (!this.committer || moved.length === 0) return;
    const offsets = moved.map(({ topic, partition, position }) => {
      return { topic, partition, offset: String(position) };
    });
    try {
      const committed = this.committer.commitOffsets(offsets);
      if (!(await settlesWithin(committed, COMMIT_MS))) throw new Error('the brokers did not answer');
      await committed;
      for (const { name, position } of moved) this.#committed.set(name, position);
    } catch (error) {
      this.options.log.debug('positions are not committed to the group', { err: error });
    }
  }
}
