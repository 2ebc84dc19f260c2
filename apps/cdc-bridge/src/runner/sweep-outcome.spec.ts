import { describe, expect, it } from 'vitest';
import type { SweepReport } from '../verification/sweep.js';
import { outcomeOf, SweepIncomplete } from './sweep-outcome.js';

type Numbers = Partial<Omit<SweepReport['verified'] & SweepReport['repaired'], 'failures'>>;

/** Of a sweep that failed for `failed` rows, for the reason that a key is missing. */
function reportOf(numbers: Numbers): SweepReport {
  const nothing = { missing: 0, extra: 0, different: 0, pending: 0, unsettled: 0 };
  const compared = { sourceRows: 9, targetRows: 9, compared: 9, sample: [], note: null };
  const failures = numbers.failed ? [{ key: 'n7e0', code: 'SINK_CONFLICT', reason: 'no parent' }] : [];
  return {
    verified: { ...compared, ...nothing, ...numbers },
    repaired: { written: 0, removed: 0, kept: 0, failed: 0, mayPass: 0, ...numbers, failures },
  };
}

describe('a sweep', () => {
  it.each<[string, string, Numbers, boolean?]>([
    ['done', 'nothing differed', {}],
    ['done', 'everything was mended, or is kept', { missing: 2, extra: 3, written: 2, removed: 1, kept: 2 }],
    ['done', 'all that is left is refused', { missing: 2, written: 1, failed: 1 }],
    ['more', 'it has mended as many as it may', { missing: 9, written: 4, failed: 1, mayPass: 1 }],
    ['later', 'it mended nothing of more than it may', { missing: 9 }],
    ['early', 'what was in the topic waits for the delay', { pending: 1 }, false],
    ['early', 'that waits, and nothing differs', {}, false],
    ['more', 'it has mended as many as it may, early', { missing: 9, written: 4 }, false],
    ['done', 'only changes from after it was asked for wait', { pending: 1 }],
    ['later', 'rows changed all the time', { missing: 1, written: 1, unsettled: 1 }],
    ['later', 'one of those that failed may pass', { missing: 3, written: 1, failed: 2, mayPass: 1 }],
  ])('is %s where %s', (outcome, _, numbers, isLate = true) => {
    expect(outcomeOf(reportOf(numbers), isLate)).toBe(outcome);
  });

  it('tells how many rows are left, and the first of them that failed', () => {
    const messageOf = (numbers: Numbers) => new SweepIncomplete(reportOf(numbers)).message;
    expect(messageOf({ missing: 3, extra: 1, written: 1, removed: 1, failed: 2 })).toBe(
      '2 rows were mended; 2 could not be, the first n7e0: no parent',
    );
    expect(messageOf({ missing: 2, unsettled: 3 })).toBe(
      '0 rows were mended; 2 were not come to; 3 changed each time they were looked at',
    );
  });
});
