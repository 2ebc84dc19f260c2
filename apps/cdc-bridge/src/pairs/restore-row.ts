import type { Pool } from 'pg';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import { type Column, keyColumns, readColumns } from '../postgres/table-columns.js';
import { formatHstore } from '../values/postgres-hstore.js';
import { baseType } from '../values/postgres-type.js';
import type { PairTables } from './pair.tables.js';

type Hstore = Readonly<Record<string, string | null>>;

interface Entry {
  readonly key: string;
  /** The row had been deleted. */
  readonly gone: boolean;
  readonly loser: Readonly<Record<string, unknown>> | null;
}

/**
 * Puts a row of a conflict log back where it was overwritten, with the columns that it had then: those that came since
 * keep what they hold.
 * @param n the entry's number
 * @returns false where there is no such entry
 */
export async function restoreRow(
  pool: Pool,
  { conflicts }: PairTables,
  table: TableName,
  n: string,
): Promise<boolean> {
  const { rows } = await pool.query<Entry>(
    `select key, loser is null or loser = 'null' as gone, loser from ${conflicts} where n = $1`,
    [n],
  );
  const [entry] = rows;
  if (!entry) return false;
  const columns = await readColumns(pool, table);
  if (entry.gone) await deleteRow(pool, table, keyColumns(columns), JSON.parse(entry.key) as string[]);
  else {
    const loser = entry.loser ?? {};
    const had = columns.filter(({ name, generated }) => !generated && Object.hasOwn(loser, name));
    await upsertRow(pool, conflicts, table, had, n, loser);
  }
  return true;
}

async function deleteRow(pool: Pool, table: TableName, keys: readonly Column[], parts: readonly string[]) {
  const same = keys.map(({ name, castType }, i) => `${quoteName(name)} = $${i + 1}::${castType}`);
  await pool.query(`delete from ${quoteTable(table)} where ${same.join(' and ')}`, [...parts]);
}

async function upsertRow(
  pool: Pool,
  conflicts: string,
  table: TableName,
  columns: readonly Column[],
  n: string,
  loser: Readonly<Record<string, unknown>>,
): Promise<void> {
  const on = quoteTable(table);
  // Postgres writes an hstore as JSON, and reads none from it.
  const hstores = columns.filter(({ type }) => baseType(type).name === 'hstore');
  const texts = hstores.map(({ name }) => {
    const value = loser[name] as Hstore | null;
    return value && formatHstore(Object.entries(value));
  });
  const values = columns.map((column) => {
    const i = hstores.indexOf(column);
    return i < 0 ? `r.${quoteName(column.name)}` : `$${i + 3}::${column.castType}`;
  });
  const names = columns.map(({ name }) => quoteName(name));
  const keys = keyColumns(columns).map(({ name }) => quoteName(name));
  const set = names.filter((name) => !keys.includes(name)).map((name) => `${name} = excluded.${name}`);
  await pool.query(
    `insert into ${on} (${names.join(', ')}) overriding system value
     select ${values.join(', ')} from ${conflicts} c, jsonb_populate_record(null::${on}, c.loser - $2::text[]) r
     where c.n = $1
     on conflict (${keys.join(', ')}) do ${set.length === 0 ? 'nothing' : `update set ${set.join(', ')}`}`,
    [n, hstores.map(({ name }) => name), ...texts],
  );
}
