import type { ConsumedRecord } from '@millrace/messaging';
import { deadLetterTopicOf } from '@millrace/schemas';
import type { Route } from '../mapping/route.js';
import { groupOf } from '../names/bridge-names.js';
import { type Key, keysOf } from '../sinks/compaction.js';
import { KeyRepair, type RepairParts } from '../verification/repair.js';
import type { RepairReport } from '../verification/repair-report.js';
import type { Pending, VerifyParts } from '../verification/verify.js';
import { failureOf } from './failure.js';
import { readingOf } from './reading.js';
import { TopicReading, type TopicReadingOptions } from './topic-reading.js';

export interface ReplayParts
  extends Pick<TopicReadingOptions, 'brokers' | 'offsets' | 'log'>,
    Pick<RepairParts, 'sink'>,
    Pick<VerifyParts, 'pending' | 'caughtUp'> {
  readonly route: Route;
}

export interface ReplayReport {
  readonly letters: number;
  /** Letters that name no row: they still cannot be read. */
  readonly unreadable: number;
  /** Rows that are left to a change of theirs that waits, because the pipeline is delayed. */
  readonly pending: number;
  /** What became of the rows of the others; a row counts again where its letters stand far apart. */
  readonly repaired: RepairReport;
}

/** The pipeline's rows have no key, by which one could be found at the source. */
export class ReplayNeedsKey extends Error {
  readonly code = 'PIPELINE_KEYLESS';
  readonly canRetry = false;

  constructor(pipeline: string) {
    super(`${pipeline} has rows without a key, of which none can be had alone: repair it instead`);
  }
}

/**
 * Makes the target's rows that a pipeline's dead letters are of as the source has them now: what the letters themselves
 * say is old. The letters stay.
 * @throws ReplayNeedsKey; SinkError or SourceUnavailable where a database stays away; the signal's reason
 */
export async function replay(parts: ReplayParts, signal: AbortSignal): Promise<ReplayReport> {
  const { name } = parts.route.pipeline;
  if (parts.route.keyless) throw new ReplayNeedsKey(name);
  const failed = new AbortController();
  const bounded = AbortSignal.any([signal, failed.signal]);
  await using pending = parts.pending?.();
  const letters = new Letters(parts, pending, bounded);
  const reading = new TopicReading({
    ...parts,
    topic: deadLetterTopicOf(groupOf(name)).name,
    group: `${groupOf(name)}.replay`,
    from: async () => undefined,
    read: (record) => letters.add(record).catch((error) => failed.abort(error)),
  });
  try {
    await reading.toEnd(bounded);
  } finally {
    await reading[Symbol.asyncDispose]();
  }
  bounded.throwIfAborted();
  return await letters.finish(); // before what is pending is let go of
}

/** Rows that are repaired together: once each, however many letters they have. */
const ROWS_AT_ONCE = 250;

/** Repairs the rows of dead letters as these come. */
class Letters {
  readonly #repair: KeyRepair;
  #rows = new Map<string, Key>();
  /** The last offset, by partition. */
  readonly #counted = new Map<number, bigint>();
  #letters = 0;
  #waiting = 0;
  #unreadable = 0;

  constructor(
    private readonly parts: ReplayParts,
    private readonly pending: Pending | undefined,
    private readonly signal: AbortSignal,
  ) {
    this.#repair = new KeyRepair(parts, signal);
  }

  async add(letter: ConsumedRecord): Promise<void> {
    const { partition, offset } = letter;
    if (offset <= (this.#counted.get(partition) ?? -1n)) return; // it has come before
    this.#counted.set(partition, offset);
    this.#letters++;
    for (const key of await this.#keysOf(letter)) this.#rows.set(key.text, key);
    if (this.#rows.size >= ROWS_AT_ONCE) await this.#flush();
  }

  async finish(): Promise<ReplayReport> {
    await this.#flush();
    return {
      letters: this.#letters,
      unreadable: this.#unreadable,
      pending: this.#waiting,
      repaired: await this.#repair.finish(),
    };
  }

  async #flush(): Promise<void> {
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    const waiting = await this.#waitingOf(rows);
    this.#waiting += waiting.size;
    await this.#repair.add(rows.filter(({ text }) => !waiting.has(text)));
  }

  /** A change that the source has committed counts, whether its topic has it yet or not. */
  async #waitingOf(rows: readonly Key[]): Promise<ReadonlySet<string>> {
    if (!this.pending || rows.length === 0) return new Set();
    await this.parts.caughtUp(this.signal);
    return this.pending.of(rows, this.signal);
  }

  async #keysOf(letter: ConsumedRecord): Promise<Key[]> {
    try {
      if (letter.value === null) throw new Error('it is of a batch that could not be read');
      const reading = await readingOf(this.parts.route, letter);
      return reading.kind === 'change' ? keysOf(reading.change) : [];
    } catch (error) {
      if (failureOf(error) === 'away') throw error;
      this.#unreadable++;
      return [];
    }
  }
}
