import { expect, it } from 'vitest';
import { onSnapshot } from './source-snapshot.js';

const NOON = '2026-01-31T12:00:00.000Z';
const BEFORE = '2026-01-31T11:59:59.999Z';
const begun = { known: null, hasBegun: true, rows: null, isNever: false };
const never = { ...begun, isNever: true };

it.each([
  ['lost changes, as far as anybody knows', begun, false, 'sweep'],
  ['lost changes after another one that was seen to', { ...begun, known: BEFORE }, false, 'sweep'],
  ['lost changes that the pipeline is still to read', { ...begun, hasBegun: false }, false, 'sweep'],
  ['was seen to', { ...begun, known: NOON }, false, 'known'],
  ['is older than a pipeline that does without rows', { ...never, known: NOON }, false, 'known'],
  ['was lost before such a one has begun', { ...never, hasBegun: false }, false, 'remember'],
  ['lost changes of such a one', { ...never, known: BEFORE }, false, 'sweep'],
  ['was the first, and brought the pipeline no rows yet', { ...begun, known: BEFORE }, true, 'remember'],
  ['was the first, of a pipeline that does without its rows', { ...never, known: BEFORE }, true, 'remember'],
  ['was the first, and brought its rows', { ...begun, rows: 'this' }, true, 'remember'],
  ['was the first, begun again after rows of it had come', { ...begun, rows: 'other' }, true, 'sweep'],
] as const)('a snapshot that %s', (_, memory, isFirst, decision) => {
  expect(onSnapshot(memory, { name: 'this', began: new Date(NOON), isFirst })).toBe(decision);
});
