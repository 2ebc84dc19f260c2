import type { PairConnections } from './pair.connections.js';
import type { PairError } from './pair.intake.js';
import { PairPositions } from './pair.positions.js';
import type { PairDeps } from './pair.run.js';
import type { RoundCounts } from './round.js';
import type { UnmappedDocument, UnmappedDocuments } from './unmapped.documents.js';

/**
 * - `starting`, `running`, `paused`: as it was asked to.
 * - `waiting`: for a database, or to be prepared; it tries again by itself.
 * - `restored`: Postgres holds an older state than MongoDB knows of; it stands until it is repaired from one side.
 */
export type PairState = 'starting' | 'running' | 'paused' | 'waiting' | 'restored' | 'closed';

export interface PairStatus extends Refused {
  readonly state: PairState;
  /** Why this instance does not work on the pair; null while it does. */
  readonly lastError: PairError | null;
  /** What all instances have done, ever. */
  readonly counts: RoundCounts;
  /** Keys that wait to be looked at. */
  readonly queued: number;
  /** Hints that wait in both topics; null while that cannot be asked. */
  readonly lag: number | null;
  /** Milliseconds of Unix: of the oldest change that this instance has in hand; null where it has none. */
  readonly inHandSince: number | null;
  /** What values of the pair's columns may lose on their way, and applications meet, a sentence each. */
  readonly reports: readonly string[];
}

/** What does not flow, while the rest does. */
export interface Refused {
  /** Keys that one side refuses: each is tried again when it changes on either side. */
  readonly parked: {
    readonly count: number;
    readonly sample: readonly { readonly key: string; readonly reason: string; readonly at: Date }[];
  };
  /** Documents whose `_id` stands for no key of the table. */
  readonly unmapped: { readonly count: number; readonly sample: readonly UnmappedDocument[] };
}

/**
 * @param unmapped of the pair's run; without one they are as they were
 * @param last what was known before
 */
export async function readRefused(
  { pool, tables }: PairConnections,
  unmapped: UnmappedDocuments | undefined,
  last: Refused,
): Promise<Refused> {
  const { rows } = await pool.query<{ count: string; key: string; reason: string; at: Date }>(
    `select count(*) over () as count, key, reason, at from ${tables.parked} order by at desc limit 20`,
  );
  return {
    parked: {
      count: Number(rows[0]?.count ?? 0),
      sample: rows.map(({ key, reason, at }) => ({ key, reason, at })),
    },
    unmapped: (await unmapped?.list()) ?? last.unmapped,
  };
}

/** Records of both topics that nobody has looked at. */
export async function lagOf(
  { pool, tables, topics }: PairConnections,
  offsets: PairDeps['offsets'],
): Promise<number> {
  const positions = new PairPositions(pool, tables);
  let lag = 0n;
  for (const topic of [topics.row, topics.document]) {
    const at = await positions.all(topic);
    for (const { partition, low, high } of await offsets.ranges(topic)) {
      const next = at.get(partition);
      const isThere = next !== undefined && next > low;
      lag += isThere ? high - next : high - low;
    }
  }
  return Number(lag);
}
