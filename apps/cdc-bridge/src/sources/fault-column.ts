import type { Pool } from 'pg';
import { tableNameOf } from '../postgres/identifier.js';

/** How Connect names the field of a record that its schema does not allow (ConnectSchema.validateValue). */
const FIELD = /\bfield: "([^"]+)"/;

/**
 * The captured tables that a fault may be about which names no table and only a column that must have a value.
 * @param names `schema.table`
 */
export async function tablesOfFault(pool: Pool, text: string, names: readonly string[]): Promise<string[]> {
  const [, column] = FIELD.exec(text) ?? [];
  if (column === undefined) return [];
  const { rows } = await pool.query<{ name: string }>(
    `select wanted.schema || '.' || wanted."table" as name
     from json_to_recordset($1) as wanted(schema text, "table" text)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted."table"
     join pg_attribute a on a.attrelid = c.oid and a.attname = $2 and not a.attisdropped
     join pg_type t on t.oid = a.atttypid and (a.attnotnull or t.typnotnull)
     order by 1`,
    [JSON.stringify(names.map(tableNameOf)), column],
  );
  return rows.map(({ name }) => name);
}
