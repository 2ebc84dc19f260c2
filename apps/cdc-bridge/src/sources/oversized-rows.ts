import pg, { type Pool } from 'pg';
import { quoteName, quoteTable, tableNameOf } from '../postgres/identifier.js';
import { type Column, keyColumns, readColumns } from '../postgres/table-columns.js';
import { baseType, readExpression } from '../values/postgres-type.js';
import { LARGEST_RECORD_BYTES } from './change-topics.js';

/** The producer's refusal, and the broker's. */
const TOO_LARGE = /RecordTooLargeException/;
/** Smaller ones are not looked into: compressed at most 255 times, one of half a record's size has as much. */
const STORED_BYTES = 65_536;
/** Types whose size Postgres knows without reading the value. */
const SIZED = new Set(['text', 'varchar', 'bpchar', 'bytea']);

/**
 * The captured tables that a fault may be about which says only that a record is too large, each with a row that may
 * be the one: `public.pages (id 2)`. One image of two that are too large together has at least half of what is allowed.
 * @param names `schema.table`
 */
export async function tablesOfLargeRows(
  pool: Pool,
  text: string,
  names: readonly string[],
): Promise<string[]> {
  if (!TOO_LARGE.test(text)) return [];
  const found: string[] = [];
  for (const name of names) {
    const row = await largeRow(pool, name);
    if (row !== undefined) found.push(row);
  }
  return found;
}

async function largeRow(pool: Pool, name: string): Promise<string | undefined> {
  const table = tableNameOf(name);
  const columns = await readColumns(pool, table);
  const key = keyColumns(columns);
  const shown = key.map(({ name: part, type }) => readExpression(type, `t.${quoteName(part)}`));
  try {
    const { rows } = await pool.query<string[]>({
      text: `select ${shown.join(', ')} from ${quoteTable(table)} t where ${columns.map(bytesOf).join(' + ')} >= $1 limit 1`,
      values: [LARGEST_RECORD_BYTES / 2],
      rowMode: 'array',
    });
    const [row] = rows;
    if (!row) return undefined;
    const parts = key.map((column, i) => `${column.name} ${row[i]}`);
    return parts.length > 0 ? `${name} (${parts.join(', ')})` : name;
  } catch (error) {
    if (isTimeout(error)) return undefined;
    throw error;
  }
}

function bytesOf({ name, type }: Column): string {
  const column = `t.${quoteName(name)}`;
  const value = SIZED.has(baseType(type).name) ? column : readExpression(type, column);
  return `case when pg_column_size(${column}) > ${STORED_BYTES} then octet_length(${value})::bigint else 0 end`;
}

/** Too many rows to look at: asking again would end the same way. */
function isTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014';
}
