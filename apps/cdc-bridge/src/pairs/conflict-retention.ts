import type { Collection, Document } from 'mongodb';
import type { Pool } from 'pg';
import { inTransaction } from '../postgres/transaction.js';
import type { PairTables } from './pair.tables.js';

/** What of a conflict log is kept: both halves of it each by this. */
export interface ConflictRetention {
  readonly ageMs: number;
  readonly entries: number;
}

/** Of a pair that is told nothing else: a quarter of a year, and a million losers on each side. */
export const CONFLICT_RETENTION: ConflictRetention = { ageMs: 90 * 86_400_000, entries: 1_000_000 };

const TIMEOUT_MS = 5_000;
/** Counting off a million rows takes longer than a round may: nobody waits for these. */
const COUNTS_WITHIN = `set local statement_timeout = '30s'`;
/** Rows of one statement, and statements of one go: the next go is for the rest. */
const BATCH = 5_000;
const MAX_BATCHES = 200;

/** Forgets losers that are older than the retention, and the oldest beyond its number. */
export async function pruneConflicts(
  pool: Pool,
  tables: PairTables,
  logged: Collection,
  retention: ConflictRetention,
): Promise<void> {
  await pruneRows(pool, tables, retention);
  await pruneDocuments(logged, retention);
}

async function pruneRows(pool: Pool, { conflicts }: PairTables, retention: ConflictRetention): Promise<void> {
  const seconds = retention.ageMs / 1_000;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const { rowCount } = await inTransaction(pool, async (client) => {
      await client.query(COUNTS_WITHIN);
      return await client.query(
        `delete from ${conflicts} where n in (
         select n from ${conflicts} where at < now() - make_interval(secs => $1)
           or (at, n) <= (select at, n from ${conflicts} order by at desc, n desc offset $2 limit 1)
         order by at, n limit $3)`,
        [seconds, retention.entries, BATCH],
      );
    });
    if ((rowCount ?? 0) < BATCH) return;
  }
}

async function pruneDocuments(logged: Collection, { ageMs, entries }: ConflictRetention): Promise<void> {
  const options = { maxTimeMS: TIMEOUT_MS };
  const beyond = await logged.findOne({}, { ...options, sort: { at: -1, _id: -1 }, skip: entries });
  const over: Document[] = [{ at: { $lt: new Date(Date.now() - ageMs) } }];
  if (beyond) over.push({ at: { $lt: beyond.at } }, { at: beyond.at, _id: { $lte: beyond._id } });
  await logged.deleteMany({ $or: over }, options);
}
