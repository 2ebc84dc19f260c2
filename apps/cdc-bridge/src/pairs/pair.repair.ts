import type { Side } from './pair.decision.js';
import { decideFor } from './pair.decision.js';
import { withoutOthers } from './pair.exclusion.js';
import { type PairParts, PairSync } from './pair.sync.js';
import { PairWorker } from './pair.worker.js';

/** Above the highest base, for the revisions that are handed out while it is read. */
const MARGIN = 1_000n;

/**
 * Makes one side win wherever the two differ; what is overwritten goes to the conflict log. For a pair of which
 * one database was restored from an older copy. No other worker, in any process, does anything meanwhile.
 * @throws PairTaken
 */
export function repairFrom(side: Side, parts: PairParts, signal: AbortSignal): Promise<PairWorker['counts']> {
  const alone = { ...parts, postgres: parts.postgres.alone() };
  return withoutOthers(parts.pool, parts.postgres.tables.pair, (broken) =>
    repairAlone(side, alone, AbortSignal.any([signal, broken])),
  );
}

async function repairAlone(side: Side, parts: PairParts, signal: AbortSignal): Promise<PairWorker['counts']> {
  await raiseSequence(parts);
  const worker = new PairWorker(
    new PairSync(parts, (standing) => decideFor(side, standing)),
    () => undefined, // the pair's own worker tells of these
  );
  const running = worker.run();
  try {
    await Promise.race([worker.checkedEverything(signal), running]);
  } finally {
    worker.stop();
    await running;
  }
  return worker.counts;
}

/** A restored sequence would hand out revisions that MongoDB already has as bases. */
async function raiseSequence({ pool, postgres, mongo }: PairParts): Promise<void> {
  const highest = (await mongo.highestRev()) + MARGIN;
  const { revisions } = postgres.tables;
  await pool.query(
    `select setval('${revisions.replaceAll("'", "''")}', $1) from ${revisions} where last_value < $1`,
    [highest],
  );
}
