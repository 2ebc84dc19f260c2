import type { ClientBase, Pool } from 'pg';
import type { KeyMapping } from './key.mapping.js';
import type { PairTables } from './pair.tables.js';

/** The pair's key is no longer the one that its ledger was made for. */
export class PairKeyChanged extends Error {
  readonly code = 'PAIR_KEY_CHANGED';
  readonly canRetry = false;

  constructor(pair: string, was: string, is: string) {
    super(
      `the ledger of the pair ${pair} was made for another key (${was}; now ${is}): ` +
        `remove the pair, which also removes its conflict log, and apply it again`,
    );
  }
}

/** A ledger that is not there yet takes any key. @throws PairKeyChanged */
export async function checkLedgerKey(
  client: ClientBase | Pool,
  tables: PairTables,
  key: KeyMapping,
): Promise<void> {
  const { rows } = await client.query<{ comment: string | null }>(
    `select obj_description(to_regclass($1), 'pg_class') as comment`,
    [tables.ledger],
  );
  const [was, is] = [rows[0]?.comment ?? null, tables.keyComment(key)];
  if (was !== null && was !== is) throw new PairKeyChanged(tables.pair, was, is);
}
