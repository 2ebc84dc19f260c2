import { type SweepReport, unmended } from '../verification/sweep.js';

/**
 * What a sweep leaves to another one:
 * - `done`: nothing that it could mend; what is refused is a person's to see to
 * - `more`: rows that it has not come to
 * - `later`: rows that could not be told from ghosts yet, or that something stood in the way of
 * - `early`: nothing now, but what was in the topic when it was asked for is not all applied, and may leave ghosts yet
 */
export type SweepOutcome = 'done' | 'more' | 'later' | 'early';

/**
 * @param isLate when it began, everything was applied that was in the topic when it was asked for: a row whose change
 *   waits now is one that was written since, and the change brings it
 */
export function outcomeOf(report: SweepReport, isLate: boolean): SweepOutcome {
  const { verified, repaired } = report;
  const isBehind = unmended(report) > 0;
  if (isBehind && repaired.written + repaired.removed > 0) return 'more';
  if (isBehind || verified.unsettled + repaired.mayPass > 0) return 'later';
  return isLate ? 'done' : 'early';
}

/** The sweep has left rows that differ. */
export class SweepIncomplete extends Error {
  readonly code = 'SWEEP_INCOMPLETE';
  readonly canRetry = true;

  constructor(report: SweepReport) {
    const { unsettled } = report.verified;
    const { written, removed, failed, failures } = report.repaired;
    const left = unmended(report);
    const told = [
      `${written + removed} rows were mended`,
      failed > 0 && `${failed} could not be, the first ${failures[0]?.key}: ${failures[0]?.reason}`,
      left > 0 && `${left} were not come to`,
      unsettled > 0 && `${unsettled} changed each time they were looked at`,
    ];
    super(told.filter((part) => part !== false).join('; '));
  }
}
