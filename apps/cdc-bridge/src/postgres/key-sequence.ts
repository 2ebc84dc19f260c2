import type { ClientBase, Pool } from 'pg';
import { quoteTable, type TableName } from './identifier.js';
import type { Column } from './table-columns.js';

/** A sequence that gives a key column its values: of an identity or serial column. */
export interface KeySequence {
  /** The column's place in the key. */
  readonly position: number;
  /** Quoted, with its schema. */
  readonly name: string;
  readonly increment: bigint;
  readonly max: bigint;
}

/** Of a role that moves one. */
export const SEQUENCE_RIGHTS = ['usage', 'select', 'update'];

/** Up to this many values are drawn one by one, as the application draws them. */
const STEPS = 10_000n;

interface SequenceRow {
  readonly column: string;
  readonly name: string;
  readonly increment: string;
  readonly max: string;
  readonly granted: boolean;
}

/** The ascending sequences of a key's columns, and whether who asks may move them. */
export async function sequencesOf(
  client: ClientBase | Pool,
  table: TableName,
  key: { readonly columns: readonly Column[] },
): Promise<(KeySequence & { granted: boolean })[]> {
  const { rows } = await client.query<SequenceRow>(
    `select c.name as column, s.name, q.seqincrement as increment, q.seqmax as max,
            (select bool_and(has_sequence_privilege(s.name, p)) from unnest($3::text[]) p) as granted
     from unnest($2::text[]) c(name) cross join pg_get_serial_sequence($1, c.name) s(name)
     join pg_sequence q on q.seqrelid = s.name::regclass where q.seqincrement > 0`,
    [quoteTable(table), key.columns.map(({ name }) => name), SEQUENCE_RIGHTS],
  );
  return rows.map(({ column, name, increment, max, granted }) => ({
    position: key.columns.findIndex((keyColumn) => keyColumn.name === column),
    name,
    increment: BigInt(increment),
    max: BigInt(max),
    granted,
  }));
}

/**
 * Moves sequences past keys that came from MongoDB, so that the application never draws one of them. Only
 * upwards, whatever the application draws meanwhile: near values are drawn like its own, and only a far one is
 * set, which it could pass only by drawing thousands within that one statement.
 * @param keys the texts of each key's columns
 */
export async function passKeys(
  client: ClientBase,
  sequences: readonly KeySequence[],
  keys: readonly (readonly string[])[],
): Promise<void> {
  for (const { position, name, increment, max } of sequences) {
    let highest = 0n;
    for (const parts of keys) {
      const value = BigInt(parts[position] ?? 0);
      if (value > highest && value <= max) highest = value;
    }
    if (highest <= (await lastOf(client, name, increment))) continue;
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `millrace sequence ${name}`,
    ]);
    const gap = highest - (await lastOf(client, name, increment));
    if (gap > STEPS * increment) await client.query('select setval($1::regclass, $2)', [name, highest]);
    else if (gap > 0n) {
      await client.query('select count(nextval($1::regclass)) from generate_series(1, $2::bigint)', [
        name,
        (gap + increment - 1n) / increment,
      ]);
    }
  }
}

/** The last value that was drawn. */
async function lastOf(client: ClientBase, name: string, increment: bigint): Promise<bigint> {
  const { rows } = await client.query<{ last_value: string; is_called: boolean }>(
    `select last_value, is_called from ${name}`,
  );
  const last = BigInt(rows[0]?.last_value ?? 0);
  return rows[0]?.is_called ? last : last - increment;
}
