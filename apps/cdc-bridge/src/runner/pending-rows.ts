import type { ConsumedRecord } from '@millrace/messaging';
import type { CheckpointStore } from '../checkpoints/checkpoint.js';
import type { Route } from '../mapping/route.js';
import { groupOf } from '../names/bridge-names.js';
import { type Change, type Key, keysOf } from '../sinks/compaction.js';
import type { Pending } from '../verification/verify.js';
import { BloomFilter } from './bloom-filter.js';
import { failureOf } from './failure.js';
import { readingOf } from './reading.js';
import { TopicReading, type TopicReadingOptions } from './topic-reading.js';

export interface PendingRowsParts extends Pick<TopicReadingOptions, 'brokers' | 'offsets' | 'log'> {
  readonly route: Route;
  readonly checkpoints: Pick<CheckpointStore, 'get'>;
}

/**
 * The rows whose changes stand in a pipeline's topic and are not applied: read from its checkpoints on. A row stays
 * among them when its change is applied meanwhile, and a few others may be taken for such rows, another time others.
 */
export class PendingRows implements Pending {
  readonly #reading: TopicReading;
  readonly #rows = new BloomFilter();
  /** Whether every row is among them. */
  #isAny = false;

  constructor(private readonly parts: PendingRowsParts) {
    const { route, checkpoints } = parts;
    const { topic, pipeline } = route;
    this.#reading = new TopicReading({
      ...parts,
      topic,
      group: `${groupOf(pipeline.name)}.pending`,
      from: async (partition) => (await checkpoints.get({ pipeline: pipeline.name, topic, partition }))?.next,
      read: (record) => this.#read(record),
    });
  }

  async of(keys: readonly Key[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    if (keys.length === 0) return new Set();
    await this.#reading.toEnd(signal);
    const { rowOf } = this.parts.route;
    const pending = keys.filter((key) => this.#isAny || this.#rows.has(rowOf(key)));
    return new Set(pending.map(({ text }) => text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reading[Symbol.asyncDispose]();
  }

  async #read(record: ConsumedRecord): Promise<void> {
    try {
      const reading = await readingOf(this.parts.route, record);
      if (reading.kind === 'truncate') this.#isAny = true;
      if (reading.kind === 'change')
        for (const row of rowsOf(this.parts.route, reading.change)) this.#rows.add(row);
    } catch (error) {
      // One that cannot be read will be a dead letter: nothing of it waits.
      if (failureOf(error) === 'away') throw error;
    }
  }
}

function rowsOf({ rowOf }: Route, change: Change): string[] {
  const rows = keysOf(change).map(rowOf);
  if (change.kind === 'removal') return [change.row];
  return change.kind === 'put' && change.replaces ? [...rows, change.replaces.row] : rows;
}
