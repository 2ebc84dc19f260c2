import type { RecordConsumer } from '@millrace/messaging';
import type { PairConnections } from './pair.connections.js';
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
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** What this instance has done since it started. */
  readonly counts: RoundCounts;
  /** Keys that wait to be looked at. */
  readonly queued: number;
  /** Hints that wait in the partitions of this instance; null where that is not known yet. */
  readonly lag: number | null;
  /** What values of the pair's columns may lose on their way, a sentence each. */
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

export const NO_COUNTS: RoundCounts = { nothing: 0, docs: 0, rows: 0, bases: 0, conflicts: 0 };

export function sum(a: RoundCounts, b: RoundCounts): RoundCounts {
  return {
    nothing: a.nothing + b.nothing,
    docs: a.docs + b.docs,
    rows: a.rows + b.rows,
    bases: a.bases + b.bases,
    conflicts: a.conflicts + b.conflicts,
  };
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

/** Records that wait in these partitions; null where that is not known of all. */
export function lagOf(partitions: ReturnType<RecordConsumer['assigned']>): number | null {
  let lag = 0;
  for (const { position, end } of partitions) {
    if (position === undefined || end === undefined) return null;
    lag += Math.max(0, Number(end - position));
  }
  return lag;
}
