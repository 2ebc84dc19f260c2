import type { Sink } from '../sinks/sink.js';
import type { MultisetDifference } from './multiset-comparison.js';
import { repairCopies } from './multiset-repair.js';
import { KeyRepair } from './repair.js';
import type { RepairReport } from './repair-report.js';
import { type VerifyParts, verify } from './verify.js';
import type { VerifyReport } from './verify-report.js';

export interface SweepParts extends VerifyParts {
  readonly sink: Pick<Sink, 'repair' | 'fence'>;
}

export interface SweepReport {
  /** What differed. */
  readonly verified: VerifyReport;
  /** What became of it. */
  readonly repaired: RepairReport;
}

/** Rows, or copies of rows, that differ and that the sweep has not come to. */
export function unmended({ verified, repaired }: SweepReport): number {
  const differing = verified.missing + verified.extra + verified.different;
  return Math.max(0, differing - repaired.written - repaired.removed - repaired.kept - repaired.failed);
}

/** So many different rows of a table without a key are mended by one sweep. */
const MAX_ROWS = 20_000;

/**
 * Verifies a one-way pipeline and repairs what differs as it is found. It waits first until what the source committed
 * before has been applied: after it the target has neither gaps nor ghosts of that time.
 * @throws what `verify`, `repairKeys` and `repairCopies` throw
 */
export async function sweep(parts: SweepParts, signal: AbortSignal): Promise<SweepReport> {
  const { route, sink } = parts;
  const fence = route.keyless ? await sink.fence?.(route.pipeline.name) : undefined;
  const keys = new KeyRepair(parts, signal);
  const rows: MultisetDifference[] = [];
  const verified = await verify(parts, signal, {
    keys: (found) => keys.add(found),
    unmapped: (name, fault) => keys.refuse(name, fault),
    rows: async (found) => void rows.push(...found.slice(0, MAX_ROWS - rows.length)),
  });
  const repaired = route.keyless
    ? await repairCopies({ ...parts, fence }, rows, signal)
    : await keys.finish();
  return { verified, repaired };
}
