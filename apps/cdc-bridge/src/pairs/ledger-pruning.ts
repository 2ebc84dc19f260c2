import { inTransaction } from '../postgres/transaction.js';
import { MAX_KEYS, type PairParts } from './pair.sync.js';

/** Tombstones looked at in one go; the next go is for the rest. */
const MAX_TOMBSTONES = 20_000;

interface Tombstone {
  readonly key: string;
  readonly rev: string;
  readonly at: string;
}

/**
 * Removes the ledger rows of keys that were deleted long ago and whose base says so too, or that no document can
 * be of: first these, and only then may the next round of each key remove its base.
 * @param olderThanMs far longer than any round: a worker that still acts on an older reading would make a base
 * that is newer than a ledger which begins anew, and the key stale for ever
 * @returns the keys, of which the bases are still to be removed
 */
export async function pruneLedger(parts: PairParts, olderThanMs: number): Promise<string[]> {
  const { pool, postgres } = parts;
  const pruned: string[] = [];
  let after: Pick<Tombstone, 'key' | 'at'> = { at: '-infinity', key: '' };
  for (let seen = 0; seen < MAX_TOMBSTONES; seen += MAX_KEYS) {
    const { rows } = await pool.query<Tombstone>(
      `select key, rev, changed_at::text as at from ${postgres.tables.ledger}
       where deleted and changed_at < now() - make_interval(secs => $1) and (changed_at, key) > ($2, $3)
       order by changed_at, key limit $4`,
      [olderThanMs / 1_000, after.at, after.key, MAX_KEYS],
    );
    pruned.push(...(await pruneThese(parts, rows)));
    const last = rows.at(-1);
    if (!last || rows.length < MAX_KEYS) break;
    after = last;
  }
  return pruned;
}

async function pruneThese(parts: PairParts, tombstones: readonly Tombstone[]): Promise<string[]> {
  if (tombstones.length === 0) return [];
  const { pool, postgres, mongo, mapping } = parts;
  return await inTransaction(pool, async (client) => {
    const keys = await postgres.lock(
      client,
      tombstones.map(({ key }) => key),
    );
    const bases = await mongo.basesOf(keys);
    const over = tombstones.filter(({ key, rev }) => {
      const base = bases.get(key);
      if (base === undefined) return !mapping.key.hasId(key); // there never is one
      return base.hash === null && base.rev === BigInt(rev);
    });
    const { rows } = await client.query<{ key: string }>(
      `delete from ${postgres.tables.ledger} l using unnest($1::text[], $2::bigint[]) v(key, rev)
       where l.key = v.key and l.rev = v.rev and l.deleted returning l.key`,
      [over.map(({ key }) => key), over.map(({ rev }) => rev)],
    );
    return rows.map(({ key }) => key);
  });
}
