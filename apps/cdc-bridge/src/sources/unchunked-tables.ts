import type { ClientBase, Pool } from 'pg';
import { tableNameOf } from '../postgres/identifier.js';

/** Debezium 3.7 leaves out what its parser of table names refuses. */
const PLAIN = /^[\p{L}\p{N}_$ -]+\.[\p{L}\p{N}_$ -]+$/u;

/**
 * The tables that Debezium 3.7 cannot read in chunks, beside changes: those without a key, with generated columns or
 * with an odd name. An incremental snapshot of the last two it skips with no more than a line in its log.
 */
export async function unchunkedTables(
  client: ClientBase | Pool,
  names: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select wanted.schema || '.' || wanted."table" as name
     from json_to_recordset($1) as wanted(schema text, "table" text)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted."table"
     where not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
       or exists (select from pg_attribute a where a.attrelid = c.oid and a.attgenerated <> '')`,
    [JSON.stringify(names.map(tableNameOf))],
  );
  const found = rows.map(({ name }) => name);
  return names.filter((name) => found.includes(name) || !PLAIN.test(name));
}
