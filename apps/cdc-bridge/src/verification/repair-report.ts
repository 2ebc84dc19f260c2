/** What a repair did. */
export interface RepairReport {
  /** Rows written, as the source has them. */
  readonly written: number;
  /** Rows deleted, or marked as deleted, because the source has them no more. */
  readonly removed: number;
  /** Rows that the target alone has, and keeps, because the pipeline ignores deletions. */
  readonly kept: number;
  readonly failed: number;
  /** Of these, rows that another repair may mend: a lock, a missing parent, a database that was away. */
  readonly mayPass: number;
  /** The first of those that could not be repaired, at most `SHOWN_FAILURES`. */
  readonly failures: readonly RepairFailure[];
}

export interface RepairFailure {
  readonly key: string;
  readonly code: string;
  readonly reason: string;
}

export const SHOWN_FAILURES = 100;

/** Counts what a repair does. */
export class RepairTally {
  written = 0;
  removed = 0;
  kept = 0;
  #failed = 0;
  #mayPass = 0;
  readonly #failures: RepairFailure[] = [];

  failed(key: string, error: unknown, rows = 1): void {
    const fault = error as { code?: string; message?: string; canRetry?: boolean };
    this.#failed += rows;
    if (fault.canRetry === true) this.#mayPass += rows;
    if (this.#failures.length === SHOWN_FAILURES) return;
    const { code = 'UNKNOWN', message = String(error) } = fault;
    this.#failures.push({ key, code: String(code), reason: message });
  }

  report(): RepairReport {
    const { written, removed, kept } = this;
    return {
      written,
      removed,
      kept,
      failed: this.#failed,
      mayPass: this.#mayPass,
      failures: this.#failures,
    };
  }
}
