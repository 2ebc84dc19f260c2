import { type SweepReport, unmended } from '../verification/sweep.js';

/**
 * What a sweep leaves to another one:
 * - `done`: nothing that it could mend; what is refused is a person's to see to
 * - `more`: rows that it has not come to
 * - `later`: rows that could not be told from ghosts yet, or that something stood in the way of
 */
export type SweepOutcome = 'done' | 'more' | 'later';

/**
 * @param isLate the delay has passed since the sweep was asked for: a row whose change waits now is one that is written
 *   over and over, and the change brings it
 */
export function outcomeOf(report: SweepReport, isLate: boolean): SweepOutcome {
  const { verified, repaired } = report;
  const isBehind = unmended(report) > 0;
  if (isBehind && repaired.written + repaired.removed > 0) return 'more';
  const waiting = isLate ? 0 : verified.pending;
  return isBehind || waiting + verified.unsettled + repaired.mayPass > 0 ? 'later' : 'done';
}

/** The sweep has left rows that differ. */
export class SweepIncomplete extends Error {
  readonly code = 'SWEEP_INCOMPLETE';
  readonly canRetry = true;

  constructor(report: SweepReport) {
    const { pending, unsettled } = report.verified;
    const { written, removed, failed, failures } = report.repaired;
    const left = unmended(report);
    const told = [
      `${written + removed} rows were mended`,
      failed > 0 && `${failed} could not be, the first ${failures[0]?.key}: ${failures[0]?.reason}`,
      left > 0 && `${left} were not come to`,
      pending > 0 && `${pending} have changes that wait for the delay`,
      unsettled > 0 && `${unsettled} changed each time they were looked at`,
    ];
    super(told.filter((part) => part !== false).join('; '));
  }
}
