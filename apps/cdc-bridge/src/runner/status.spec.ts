import { describe, expect, it } from 'vitest';
import { NO_CONTROL } from '../control/control.js';
import type { PartitionState } from './pipeline.runner.js';
import type { PartitionProgress } from './progress.js';
import { oneWayStatus } from './status.js';

const NOW = Date.UTC(2026, 0, 2);
const before = (seconds: number) => new Date(NOW - seconds * 1_000);

const progress = (partition: number, lag: bigint, lastAt: Date | null): PartitionProgress => ({
  partition,
  next: 10n,
  end: 10n + lag,
  lag,
  lastAt,
});
const mine = (partition: number, pendingSince: Date | undefined): PartitionState => ({
  partition,
  position: 10n,
  end: 10n,
  pendingSince,
});

function lagOf(found: readonly PartitionProgress[] | null, own: readonly PartitionState[]) {
  const rest = { control: NO_CONTROL, isOpen: true, reasons: [], checkpoints: [], now: NOW };
  return oneWayStatus({ ...rest, progress: found, mine: own }).lag;
}

describe('the lag of a sink', () => {
  it('is nothing where nothing waits, however old the last record is', () => {
    const found = [progress(0, 0n, before(500)), progress(1, 0n, null)];
    expect(lagOf(found, [mine(0, before(40))])).toEqual({ records: 0, sinkSeconds: 0 });
    expect(lagOf([], [])).toEqual({ records: 0, sinkSeconds: 0 });
  });

  it('is the age of what this instance is applying, not of what it applied last', () => {
    const found = [progress(0, 3n, before(500))];
    expect(lagOf(found, [mine(0, before(2.5))])).toEqual({ records: 3, sinkSeconds: 2.5 });
    expect(lagOf(found, [mine(0, undefined)])).toEqual({ records: 3, sinkSeconds: 0 });
  });

  it('is, in another instance’s partition, at most the age of the last record that was applied', () => {
    expect(lagOf([progress(1, 2n, before(7))], [mine(0, before(1))])).toEqual({ records: 2, sinkSeconds: 7 });
    expect(lagOf([progress(1, 2n, null)], [])).toEqual({ records: 2, sinkSeconds: 0 });
  });

  it('is that of the partition that is furthest behind', () => {
    const found = [progress(0, 1n, before(90)), progress(1, 5n, before(30)), progress(2, 0n, before(900))];
    expect(lagOf(found, [mine(0, before(4))])).toEqual({ records: 6, sinkSeconds: 30 });
  });

  it('is never negative where the source’s clock is ahead', () => {
    expect(lagOf([progress(0, 1n, null)], [mine(0, before(-60))]).sinkSeconds).toBe(0);
  });

  it('is unknown while the topic cannot be asked', () => {
    expect(lagOf(null, [mine(0, before(4))])).toEqual({ records: null, sinkSeconds: null });
  });
});
