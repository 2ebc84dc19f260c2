/** What a verification found. Every number is a number of rows. */
export interface VerifyReport {
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Rows of either side of which it is known whether the other side has them. */
  readonly compared: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** The first of them, at most `SAMPLE_SIZE`. */
  readonly sample: readonly SampledDifference[];
  /** Left out: their changes wait in the topic, because the pipeline is delayed. */
  readonly pending: number;
  /** Left out: they changed each time they were looked at. */
  readonly unsettled: number;
  /** What the numbers alone do not say; null where they say everything. */
  readonly note: string | null;
}

export interface SampledDifference {
  /** The key, as `shownKey` has it; the row itself, cut, where the table has no key. */
  readonly key: string;
  readonly kind: DifferenceKind;
  /** The fields that differ. */
  readonly fields: readonly string[];
  /** How many copies, where the table has no key. */
  readonly copies?: number;
}

/** `missing` and `extra` say how the target differs from the source. */
export type DifferenceKind = 'missing' | 'extra' | 'different';

export const SAMPLE_SIZE = 100;

/** Counts what a verification finds. */
export class Tally {
  sourceRows = 0;
  targetRows = 0;
  readonly #sample: SampledDifference[] = [];
  readonly #found = { missing: 0, extra: 0, different: 0, pending: 0, unsettled: 0 };
  readonly #notes: string[] = [];
  #unmapped = 0;

  add(kind: DifferenceKind, key: string, fields: readonly string[], copies?: number): void {
    this.#found[kind] += copies ?? 1;
    if (this.#sample.length === SAMPLE_SIZE) return;
    this.#sample.push({ key, kind, fields, ...(copies !== undefined && { copies }) });
  }

  /** A row of the source that can have no key at the target: it is missing there. */
  unmapped(name: string): void {
    this.#unmapped++;
    this.add('missing', name, []);
  }

  leftOut(reason: 'pending' | 'unsettled', rows = 1): void {
    this.#found[reason] += rows;
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** @param isCompared false where the rows were counted only */
  report(isCompared = true): VerifyReport {
    const { pending, unsettled, extra } = this.#found;
    const sourceRows = this.sourceRows + this.#unmapped;
    const compared = isCompared ? Math.max(0, sourceRows + extra - pending - unsettled) : 0;
    if (compared === 0) {
      const empty = sourceRows === 0 && this.targetRows === 0 ? ': both sides are empty' : '';
      this.#notes.unshift(`nothing was compared${empty}`);
    }
    if (this.#unmapped > 0) this.#notes.push(`${this.#unmapped} missing rows can have no key at the target`);
    if (unsettled > 0) this.#notes.push(`${unsettled} rows changed each time they were looked at`);
    if (pending > 0) this.#notes.push(`${pending} rows have changes that wait for the delay`);
    const note = this.#notes.length > 0 ? this.#notes.join('; ') : null;
    return {
      sourceRows,
      targetRows: this.targetRows,
      compared,
      ...this.#found,
      sample: this.#sample,
      note,
    };
  }
}
