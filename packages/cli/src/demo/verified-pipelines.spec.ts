import { expect, it } from 'vitest';
import { judged } from './verified-pipelines.js';

const equal = { sourceRows: 3, targetRows: 3, compared: 3, missing: 0, extra: 0, different: 0, sample: [] };

it('finds no fault in sides that are equal', () => {
  expect(judged(equal)).toEqual({ evidence: '3 compared, of 3 and 3', faults: [] });
});

it('names what differs, and says so where nothing was compared', () => {
  const differs = { ...equal, missing: 1, sample: [{ key: '["a"]', kind: 'missing' }] };
  expect(judged(differs).faults).toEqual(['1 missing, 0 extra, 0 different', 'missing: ["a"]']);
  expect(judged({ ...equal, unsettled: 1, pending: 2 }).faults).toEqual(['3 could not be compared']);
  expect(judged({ ...equal, compared: 0 }).faults).toEqual(['nothing was compared']);
});
