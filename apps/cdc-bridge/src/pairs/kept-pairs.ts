import type { Pool } from 'pg';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import { quoteName } from '../postgres/identifier.js';

/** The names of the pairs whose ledger is in a database, whether a file still has them or not. */
export async function pairsIn(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ pair: string }>(
    `select regexp_replace(relname, '_ledger$', '') as pair from pg_class
     where relnamespace = to_regnamespace($1) and relkind = 'r' and relname like '%\\_ledger' order by 1`,
    [quoteName(OWN_SCHEMA)],
  );
  return rows.map(({ pair }) => pair);
}

/** What is to be known of a pair that left its file while all that was made for it stays. */
export function keptPair(pair: string): string {
  return `the pair ${pair} is not in the file, and its triggers, its ledger, which nobody prunes, and the bridge's right to write are still there: put its entry back, and undo it with pipelines remove ${pair}`;
}
