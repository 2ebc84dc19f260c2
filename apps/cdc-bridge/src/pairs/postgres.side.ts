import { type ClientBase, DatabaseError, type Pool } from 'pg';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import { type KeySequence, passKeys } from '../postgres/key-sequence.js';
import { columnsState } from '../postgres/table-columns.js';
import { readExpression, writeExpression } from '../values/postgres-type.js';
import type { Attempt } from './attempt.js';
import type { Accepted } from './pair.decision.js';
import { besideOthers, lockNameOf } from './pair.exclusion.js';
import type { MappedField, PairMapping } from './pair.mapping.js';
import type { PairTables } from './pair.tables.js';

/** A key as Postgres has it. */
export interface RowReading {
  readonly key: string;
  readonly rev: bigint;
  readonly accepted: Accepted | null;
  /** The texts of the mapped columns; null where there is no row. */
  readonly texts: readonly (string | null)[] | null;
  readonly parked: boolean;
}

/** A write that came from MongoDB. */
export interface RowWrite {
  readonly key: string;
  /** The revision that was read; the row must still have it. */
  readonly rev: bigint;
  readonly exists: boolean;
  readonly conflict: boolean;
  /** The texts of the mapped columns; null to delete the row. */
  readonly texts: readonly (string | null)[] | null;
  /** The positions of the columns to write, where the row exists. */
  readonly differ: readonly number[];
  readonly accepted: { readonly first: bigint | null; readonly base: bigint; readonly hash: string | null };
}

interface ReadRow {
  readonly key: string;
  readonly rev: string | null;
  readonly acc_rev: string | null;
  readonly acc_first: string;
  readonly acc_base: string;
  readonly acc_hash: string | null;
  readonly there: boolean;
  readonly parked: boolean;
  readonly texts: (string | null)[];
  readonly state: string | null;
}

/** Some rows are not as they were read and then written: the transaction must be rolled back. */
export class RowsMoved extends Error {
  constructor(readonly keys: readonly string[]) {
    super(
      'Postgres did not take the row as it was written: it changed meanwhile, or a trigger keeps it back',
    );
  }
}

/** The table has other columns than those that are known: what is equal, and what a write may touch, is not known either. */
export class ColumnsChanged extends Error {
  readonly code = 'PAIR_COLUMNS_CHANGED';
  readonly canRetry = true;

  constructor(table: string, options?: ErrorOptions) {
    super(`the columns of ${table} changed meanwhile: ask again`, options);
  }
}

/** SQLSTATE: undefined_column (postgresql.org/docs/current/errcodes-appendix.html). */
const UNDEFINED_COLUMN = '42703';

/** The statements of a pair on its table and ledger, each within the caller's transaction. */
export class PostgresSide {
  readonly #table: string;

  /** @param state of the columns that the mapping was made of; see `columnsState` */
  constructor(
    private readonly table: TableName,
    readonly tables: PairTables,
    readonly mapping: PairMapping,
    readonly state: string,
    readonly sequences: readonly KeySequence[] = [],
    private readonly isAlone = false,
  ) {
    this.#table = quoteTable(table);
  }

  /** The same, for whoever has the pair to itself; see `withoutOthers`. */
  alone(): PostgresSide {
    return new PostgresSide(this.table, this.tables, this.mapping, this.state, this.sequences, true);
  }

  /** Takes an advisory lock on each key that is free, until the transaction ends. Waits for none. */
  async lock(client: ClientBase, keys: readonly string[]): Promise<string[]> {
    const { rows } = await client.query<{ key: string }>(
      `with pair as materialized (select ${this.isAlone ? 'true' : besideOthers('$2')} as open)
       select key from pair, unnest($1::text[]) key
       where case when open then pg_try_advisory_xact_lock(hashtextextended($2 || key, 0)) end`,
      [keys, lockNameOf(this.tables.pair)],
    );
    return rows.map(({ key }) => key);
  }

  /**
   * Must be a statement of its own after `lock`, so that it sees what others wrote before they let go. The table's
   * columns then stay as they are until the transaction ends.
   * @throws ColumnsChanged
   */
  async read(client: ClientBase, keys: readonly string[]): Promise<RowReading[]> {
    const texts = this.mapping.fields.map(({ column }) =>
      readExpression(column.type, `t.${quoteName(column.name)}`),
    );
    const { rows } = await client
      .query<ReadRow>(
        `select v.key, l.rev, l.acc_rev, l.acc_first, l.acc_base, l.acc_hash, p.key is not null as parked,
              ${this.#firstKeyColumn('t')} is not null as there, array[${texts.join(', ')}]::text[] as texts,
              ${columnsState(this.table)} as state
       from ${this.#keys()} left join ${this.tables.ledger} l on l.key = v.key
       left join ${this.tables.parked} p on p.key = v.key left join ${this.#table} t on ${this.#sameKey()}`,
        this.#keyParameters(keys),
      )
      .catch((error: unknown) => {
        const isGone = error instanceof DatabaseError && error.code === UNDEFINED_COLUMN;
        throw isGone ? new ColumnsChanged(this.#table, { cause: error }) : error;
      });
    if (rows.some(({ state }) => state !== this.state)) throw new ColumnsChanged(this.#table);
    return rows.map((row) => ({
      key: row.key,
      rev: BigInt(row.rev ?? 0),
      accepted: row.acc_rev === null ? null : acceptedOf(row),
      texts: row.there ? row.texts : null,
      parked: row.parked,
    }));
  }

  /** The key of every row, in pages, by the primary key. */
  async *everyRow(pool: Pool, attempt: Attempt, page = 1_000): AsyncGenerator<string[]> {
    const { key } = this.mapping;
    const names = key.columns.map(({ name }) => `t.${quoteName(name)}`).join(', ');
    const bounds = key.columns.map(({ type, castType }, i) => writeExpression(type, castType, `$${i + 2}`));
    for (let after: readonly string[] = []; ; ) {
      const beyond = after.length > 0 ? `where (${names}) > (${bounds.join(', ')})` : '';
      const { rows } = await attempt(() =>
        pool.query<{ key: string }>(
          `select ${key.expression('t')} as key from ${this.#table} t ${beyond} order by ${names} limit $1`,
          [page, ...after],
        ),
      );
      if (rows.length > 0) yield rows.map((row) => row.key);
      if (rows.length < page) return;
      after = key.parts(rows.at(-1)?.key ?? '[]');
    }
  }

  /** Those of the keys that have no row. */
  async withoutRow(pool: Pool, keys: readonly string[]): Promise<string[]> {
    const { rows } = await pool.query<{ key: string }>(
      `select v.key from ${this.#keys()} left join ${this.#table} t on ${this.#sameKey()}
       where ${this.#firstKeyColumn('t')} is null`,
      this.#keyParameters(keys),
    );
    return rows.map(({ key }) => key);
  }

  /** Locks what is free, never waiting, and returns the writes whose rows are still as they were read. */
  async stillAsRead(client: ClientBase, writes: readonly RowWrite[]): Promise<RowWrite[]> {
    const keys = writes.map(({ key }) => key);
    const free = await client.query<{ key: string }>(
      `select v.key from ${this.#keys()} join ${this.#table} t on ${this.#sameKey()}
       order by v.key for update of t skip locked`,
      this.#keyParameters(keys),
    );
    const locked = new Set(free.rows.map(({ key }) => key));
    const ledger = await client.query<{ key: string; rev: string }>(
      `select key, rev from ${this.tables.ledger} where key = any($1)`,
      [keys],
    );
    const revs = new Map(ledger.rows.map(({ key, rev }) => [key, BigInt(rev)]));
    return writes.filter(
      ({ key, rev, exists }) => (revs.get(key) ?? 0n) === rev && (!exists || locked.has(key)),
    );
  }

  /**
   * Writes rows, `accepted` and the losers of conflicts.
   * @throws RowsMoved where a row got another revision than its own write gave it
   */
  async write(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    await this.#logConflicts(
      client,
      writes.filter(({ conflict }) => conflict),
    );
    await this.#delete(
      client,
      writes.filter(({ texts }) => texts === null),
    );
    const inserts = writes.filter(({ texts, exists }) => texts !== null && !exists);
    await this.#insert(client, inserts);
    await passKeys(
      client,
      this.sequences,
      inserts.map(({ key }) => this.mapping.key.parts(key)),
    );
    const updates = writes.filter(({ texts, exists }) => texts !== null && exists);
    for (const group of Map.groupBy(updates, ({ differ }) => differ.join()).values()) {
      await this.#update(client, group, group[0]?.differ ?? []);
    }
    await this.#accept(client, writes);
  }

  /** Shows a key that cannot be kept equal, with the reason. */
  async park(pool: Pool, key: string, reason: string): Promise<void> {
    await pool.query(
      `insert into ${this.tables.parked} as p (key, reason) values ($1, $2)
       on conflict (key) do update set reason = excluded.reason, at = now() where p.reason <> excluded.reason`,
      [key, reason],
    );
  }

  async unpark(client: ClientBase, keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await client.query(`delete from ${this.tables.parked} where key = any($1)`, [keys]);
  }

  async #logConflicts(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    if (writes.length === 0) return;
    await client.query(
      `insert into ${this.tables.conflicts} (key, loser)
       select v.key, to_jsonb(t) from ${this.#keys()} left join ${this.#table} t on ${this.#sameKey()}`,
      this.#keyParameters(writes.map(({ key }) => key)),
    );
  }

  async #delete(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    if (writes.length === 0) return;
    await client.query(
      `delete from ${this.#table} t using ${this.#keys()} where ${this.#sameKey()}`,
      this.#keyParameters(writes.map(({ key }) => key)),
    );
  }

  async #insert(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    if (writes.length === 0) return;
    const { fields, key } = this.mapping;
    const columns = [...key.columns, ...fields.map(({ column }) => column)];
    const keys = key.columns.map((column, i) => writeExpression(column.type, column.castType, `v.k${i}`));
    await client.query(
      `insert into ${this.#table} (${columns.map(({ name }) => quoteName(name)).join(', ')})
       overriding system value select ${[...keys, ...this.#values(fields)].join(', ')} from ${this.#keys(fields)}
       order by v.key`,
      [...this.#keyParameters(writes.map((write) => write.key)), ...transposed(fields.keys(), writes)],
    );
  }

  async #update(client: ClientBase, writes: readonly RowWrite[], differ: readonly number[]): Promise<void> {
    const fields = differ.map((i) => this.mapping.fields[i] as MappedField);
    const values = this.#values(fields);
    const sets = fields.map(({ column }, i) => `${quoteName(column.name)} = ${values[i]}`);
    await client.query(
      `update ${this.#table} t set ${sets.join(', ')} from ${this.#keys(fields)} where ${this.#sameKey()}`,
      [...this.#keyParameters(writes.map(({ key }) => key)), ...transposed(differ, writes)],
    );
  }

  /** The ledger must show this very transaction, and before it the revision that was read. */
  async #accept(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    const { rows } = await client.query<{ key: string }>(
      `update ${this.tables.ledger} l
       set acc_rev = l.rev, acc_first = coalesce(v.first, l.rev), acc_base = v.base, acc_hash = v.hash
       from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) v(key, rev, first, base, hash)
       where l.key = v.key and l.previous = v.rev and l.xact = pg_current_xact_id() returning l.key`,
      [
        writes.map(({ key }) => key),
        writes.map(({ rev }) => rev),
        writes.map(({ accepted }) => accepted.first),
        writes.map(({ accepted }) => accepted.base),
        writes.map(({ accepted }) => accepted.hash),
      ],
    );
    const done = new Set(rows.map(({ key }) => key));
    const moved = writes.filter(({ key }) => !done.has(key));
    if (moved.length > 0) throw new RowsMoved(moved.map(({ key }) => key));
  }

  /** `v`: the key's text, its columns k0, k1 …, and the texts of the given fields c0, c1 … */
  #keys(fields: readonly MappedField[] = []): string {
    const keys = this.mapping.key.columns.map((_, i) => `k${i}`);
    const names = ['key', ...keys, ...fields.map((_, i) => `c${i}`)];
    return `unnest(${names.map((_, i) => `$${i + 1}::text[]`).join(', ')}) v(${names.join(', ')})`;
  }

  #keyParameters(keys: readonly string[]): unknown[][] {
    const parts = keys.map((key) => this.mapping.key.parts(key));
    return [[...keys], ...this.mapping.key.columns.map((_, i) => parts.map((part) => part[i]))];
  }

  #sameKey(): string {
    const { columns } = this.mapping.key;
    return columns
      .map(
        ({ name, type, castType }, i) =>
          `t.${quoteName(name)} = ${writeExpression(type, castType, `v.k${i}`)}`,
      )
      .join(' and ');
  }

  #firstKeyColumn(row: string): string {
    return `${row}.${quoteName(this.mapping.key.columns[0]?.name ?? '')}`;
  }

  #values(fields: readonly MappedField[]): string[] {
    return fields.map(({ column }, i) => writeExpression(column.type, column.castType, `v.c${i}`));
  }
}

function acceptedOf(row: ReadRow): Accepted {
  return {
    rev: BigInt(row.acc_rev ?? 0),
    first: BigInt(row.acc_first),
    base: BigInt(row.acc_base),
    hash: row.acc_hash,
  };
}

/** One array per field, from one array per row. */
function transposed(fields: Iterable<number>, writes: readonly RowWrite[]): (string | null)[][] {
  return [...fields].map((field) => writes.map(({ texts }) => texts?.[field] ?? null));
}
