import type { SinkError } from '../sinks/sink.error.js';
import type { ValueFault } from '../values/value.fault.js';
import type { DocWrite } from './mongo.side.js';
import type { RowReading, RowWrite } from './postgres.side.js';

export interface RoundCounts {
  /** Keys that needed no write. */
  nothing: number;
  /** Documents and rows that were written, and bases that moved alone. */
  docs: number;
  rows: number;
  bases: number;
  conflicts: number;
}

export interface Failure {
  readonly keys: readonly string[];
  readonly error: SinkError | ValueFault;
}

/** What became of each key of a round. */
export class Round {
  readonly counts: RoundCounts = { nothing: 0, docs: 0, rows: 0, bases: 0, conflicts: 0 };
  /** Written: to be read once more, at once. */
  readonly again = new Set<string>();
  /** Locked, changed meanwhile, or failed with something that may pass: to be read a little later. */
  readonly wait = new Set<string>();
  /** Older in Postgres than MongoDB's base says. */
  readonly staleKeys = new Set<string>();
  readonly failures: Failure[] = [];
  /** About how many were read of both sides. */
  bytes = 0;
  readonly #open: Set<string>;

  constructor(readonly keys: readonly string[]) {
    this.#open = new Set(keys);
  }

  /** Keys of which nothing is known yet. */
  open(): string[] {
    return [...this.#open];
  }

  nothing(key: string): void {
    if (this.#open.delete(key)) this.counts.nothing++;
  }

  stale(key: string): void {
    if (this.#open.delete(key)) this.staleKeys.add(key);
  }

  later(keys: readonly string[]): void {
    for (const key of keys) if (this.#open.delete(key)) this.wait.add(key);
  }

  failed(keys: readonly string[], error: Failure['error']): void {
    const failed = keys.filter((key) => this.#open.delete(key));
    if (failed.length > 0) this.failures.push({ keys: failed, error });
  }

  wroteDocs(writes: readonly DocWrite[]): void {
    for (const { key, fields, conflict } of writes) {
      if (!this.#open.delete(key)) continue;
      this.again.add(key);
      this.counts[fields === undefined ? 'bases' : 'docs']++;
      if (conflict) this.counts.conflicts++;
    }
  }

  wroteRows(writes: readonly RowWrite[]): void {
    for (const { key, conflict } of writes) {
      if (!this.#open.delete(key)) continue;
      this.again.add(key);
      this.counts.rows++;
      if (conflict) this.counts.conflicts++;
    }
  }

  /** The parked keys that went well now. */
  settled(readings: readonly RowReading[], written: readonly RowWrite[]): string[] {
    const failed = new Set([...this.staleKeys, ...this.failures.flatMap(({ keys }) => keys)]);
    const rows = new Set(written.map(({ key }) => key));
    return readings
      .filter(({ key, parked }) => parked && !failed.has(key) && (rows.has(key) || !this.#open.has(key)))
      .map(({ key }) => key);
  }
}
