import type { Side } from '../harness/compare.ts';
import { BATCH, type Batch, Workload } from './changes.ts';

/** Long enough for several whole batches. */
export const OPTIONS = { rounds: 9, batches: 2, batchMs: 600 };

/** A side whose unit is a change, which it is given in whole batches and the rest. */
export function inBatches(
  name: string,
  batches: readonly Batch[],
  write: (batch: Batch) => Promise<void>,
): Side {
  const workload = new Workload(batches);
  return {
    name,
    async run(times) {
      for (let left = times; left > 0; left -= BATCH) await write(workload.take(Math.min(left, BATCH)));
    },
  };
}
