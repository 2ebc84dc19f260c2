import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumedRecord, RecordBatch } from '@millrace/messaging';
import type { Reading } from '../changes/change-reader.js';
import type { LastRecord, MoveCounts } from '../checkpoints/checkpoint.js';
import { groupOf } from '../names/bridge-names.js';
import { BatchSize } from '../sinks/batch-size.js';
import { type Change, compact } from '../sinks/compaction.js';
import { RowsMissing, SinkError } from '../sinks/sink.error.js';
import { completeEffects } from './complete-effects.js';
import { describeFailure, type Failure, failureOf } from './failure.js';
import { readingOf } from './reading.js';
import type { RunnerParts } from './runner.parts.js';
import { Troubles } from './troubles.js';

const AWAY = { firstMs: 100, maxMs: 5_000 };
const CONFLICT = { firstMs: 10, maxMs: 500 };

/** A record and what was made of it. */
interface Item {
  readonly record: ConsumedRecord;
  reading: Reading | undefined;
  /** It stands in the dead-letter topic, and nothing of it is applied. */
  buried: boolean;
}

/**
 * Applies the batches of one partition, in order and each in parts:
 *
 * due → read → folded → completed at the source → applied with its checkpoint → next part
 *   · refused: halved until the record is alone, then dead-lettered, and the checkpoint moves after that
 *   · conflict: halved; alone, tried again for a bounded time, then as refused
 *   · something away: waits, and tries the same again, for ever
 *   · the checkpoint moved: rejects, and the partition begins again from where it stands
 */
export class PartitionWork {
  readonly troubles: Troubles;
  readonly #size: BatchSize;
  #position: bigint;
  /** Kept where only transaction markers were passed: by it the topic is known again. */
  #last: LastRecord | null;
  /** When the source committed what is being applied; undefined while nothing is. */
  #pendingSince: Date | undefined;

  /**
   * @param position where the partition begins, as the store has it
   * @param last the record before that, where it is known
   */
  constructor(
    private readonly parts: RunnerParts,
    private readonly partition: number,
    position: bigint,
    last: LastRecord | null,
  ) {
    this.troubles = new Troubles(parts, partition);
    this.#size = new BatchSize(parts.limits.records);
    this.#position = position;
    this.#last = last;
  }

  get pendingSince(): Date | undefined {
    return this.#pendingSince;
  }

  async handle(batch: RecordBatch): Promise<void> {
    const { records, signal } = batch;
    const items = records.map((record): Item => ({ record, reading: undefined, buried: false }));
    try {
      for (let begin = 0; begin < items.length; ) {
        // It waits from now on, also where the pipeline is paused.
        this.#pendingSince = atOf(items[begin] as Item);
        await this.parts.gate.passed(signal);
        const part = await this.#due(items.slice(begin, begin + this.#size.size), signal);
        // It may have been paused while a delay passed.
        await this.parts.gate.passed(signal);
        const end = begin + part.length;
        const next = end === items.length ? batch.next : (records[end] as ConsumedRecord).offset;
        if (await this.#applied(part, next, signal)) begin = end;
      }
      // Only transaction markers: the checkpoint reaches the topic's end all the same.
      if (items.length === 0 && batch.next > this.#position) await this.#applied([], batch.next, signal);
    } finally {
      this.#pendingSince = undefined;
    }
  }

  /** The first of the items, as many as are due, read; waits until one is. */
  async #due(items: readonly Item[], signal: AbortSignal): Promise<Item[]> {
    const delay = this.parts.route.pipeline.delay ?? 0;
    const due: Item[] = [];
    for (const item of items) {
      item.reading ??= await this.#read(item, signal);
      const at = atOf(item);
      const wait = delay === 0 ? 0 : at.getTime() + delay - Date.now();
      if (wait > 0 && due.length > 0) return due;
      // Timers of Node end after 24 days.
      for (let left = wait; left > 0; left = at.getTime() + delay - Date.now()) {
        await sleep(Math.min(left, 86_400_000), undefined, { signal });
      }
      if (due.length === 0) this.#pendingSince = at;
      due.push(item);
    }
    return due;
  }

  async #read(item: Item, signal: AbortSignal): Promise<Reading> {
    for (let attempt = 1; ; attempt++) {
      try {
        const reading = await readingOf(this.parts.route, item.record);
        this.troubles.over();
        return reading;
      } catch (error) {
        if (failureOf(error) !== 'away') {
          await this.#bury(item, error, signal);
          return { kind: 'nothing' };
        }
        await this.troubles.wait(error, AWAY, attempt, signal);
      }
    }
  }

  /** @returns false where the part was too large: to be tried again in smaller ones */
  async #applied(part: readonly Item[], next: bigint, signal: AbortSignal): Promise<boolean> {
    const missing = new Set<string>();
    const tries = new Tries();
    for (;;) {
      // It may have been paused while something was away.
      await this.parts.gate.passed(signal);
      try {
        await this.#apply(part, next, missing);
        this.#size.succeeded();
        this.troubles.over();
        return true;
      } catch (error) {
        const failure = failureOf(error);
        if (failure === 'moved') throw error;
        if (error instanceof RowsMissing) {
          for (const key of error.keys) missing.add(key);
          continue;
        }
        tries.failed(failure);
        if (failure === 'away') {
          await this.troubles.wait(error, AWAY, tries.count, signal);
          continue;
        }
        const left = part.filter(({ buried }) => !buried);
        if (left.length > 1) {
          this.#size.failed();
          if (failure === 'conflict') await sleep(5 + Math.random() * 20, undefined, { signal });
          return false;
        }
        const [only] = left;
        // With nothing left of it, the conflict is over the checkpoint alone.
        if (failure === 'conflict' && (!only || tries.forMs < this.#patienceMs(error)))
          await this.troubles.wait(error, CONFLICT, tries.count, signal);
        else if (only) await this.#bury(only, error, signal);
        else throw error;
      }
    }
  }

  #patienceMs(error: unknown): number {
    const { conflictPatienceMs, contentionPatienceMs } = this.parts.limits;
    return error instanceof SinkError && error.isContention ? contentionPatienceMs : conflictPatienceMs;
  }

  async #apply(part: readonly Item[], next: bigint, missing: ReadonlySet<string>): Promise<void> {
    const { route, sink } = this.parts;
    await this.#announce(part);
    const changes = part.flatMap(changeOf);
    const effects = await completeEffects(route, compact(changes), missing);
    const record = part.at(-1)?.record;
    const last = record ? { offset: record.offset, timestamp: record.timestamp } : this.#last;
    const counts: MoveCounts = {
      read: part.filter(isChange).length,
      applied: changes.length,
    };
    await sink.apply(effects, {
      pipeline: route.pipeline.name,
      topic: route.topic,
      partition: this.partition,
      expected: this.#position,
      next,
      counts,
      ...(last && { last }),
    });
    this.#position = next;
    this.#last = last;
  }

  /** What only a sweep can follow is asked for before the checkpoint passes it. */
  async #announce(part: readonly Item[]): Promise<void> {
    for (const { reading } of part) {
      if (reading?.kind === 'truncate') await this.troubles.sweep('the source was truncated');
      if (reading?.kind === 'change' && reading.snapshot !== null)
        await this.troubles.snapshotSeen(reading.snapshot);
    }
  }

  async #bury(item: Item, error: unknown, signal: AbortSignal): Promise<void> {
    const { route, deadLetters } = this.parts;
    const group = groupOf(route.pipeline.name);
    const reason = describeFailure(error);
    for (let attempt = 1; ; attempt++) {
      try {
        await deadLetters.write(item.record, { group, reason });
        break;
      } catch (fault) {
        await this.troubles.wait(fault, AWAY, attempt, signal);
      }
    }
    item.buried = true;
    this.troubles.buried(item.record, reason);
  }
}

/** How often in a row something failed in one way, and since when: an outage does not use up a conflict's patience. */
class Tries {
  #kind: Failure | undefined;
  #since = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get forMs(): number {
    return performance.now() - this.#since;
  }

  failed(kind: Failure): void {
    if (kind !== this.#kind) [this.#kind, this.#since, this.#count] = [kind, performance.now(), 0];
    this.#count++;
  }
}

const isChange = ({ reading }: Item): boolean => reading?.kind === 'change';

function changeOf({ reading, buried }: Item): Change[] {
  return reading?.kind === 'change' && !buried ? [reading.change] : [];
}

function atOf({ reading, record }: Item): Date {
  return reading && 'at' in reading ? reading.at : record.timestamp;
}
