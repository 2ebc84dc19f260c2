import pg, { type Pool, type PoolClient } from 'pg';
import { quoteName, quoteTable, type TableName } from '../postgres/identifier.js';
import { LentConnection } from '../postgres/lent-connection.js';
import type { Column } from '../postgres/table-columns.js';
import { rolledBack } from '../postgres/transaction.js';
import { readExpression, writeExpression } from '../values/postgres-type.js';
import { PageSize } from './page-size.js';

/** A row's texts, by the names of its columns. */
export type Texts = Map<string, string | null>;

/** Keys that one statement reads at most. */
const KEYS = 500;

/** Reads a table's rows as texts, on connections with `POSTGRES_SESSION` and a statement timeout. */
export class PostgresTable {
  readonly #from: string;

  /** @param key its primary key's columns in their order; none for a table without one */
  constructor(
    readonly pool: Pool,
    table: TableName,
    readonly columns: readonly Column[],
    readonly key: readonly Column[],
  ) {
    this.#from = `${quoteTable(table)} t`;
  }

  /** Every row, in pages of bounded size: by key, each page on its own; without a key, from one snapshot. */
  all(signal: AbortSignal): AsyncIterable<Texts[]> {
    return this.key.length > 0 ? this.#byKey(signal) : this.#bySnapshot(signal);
  }

  /** Those of the keys that are there. @param keys texts of the key's columns; what no such column can be is not there */
  async read(keys: readonly (readonly (string | null)[])[]): Promise<Texts[]> {
    if (keys.length > KEYS) {
      return (
        await Promise.all([await this.read(keys.slice(0, KEYS)), await this.read(keys.slice(KEYS))])
      ).flat();
    }
    if (keys.length === 0) return [];
    const arrays = this.key.map((_, i) => `$${i + 1}::text[]`).join(', ');
    const names = this.key.map((_, i) => `k${i}`).join(', ');
    const same = this.key.map(
      ({ name, type, castType }, i) => `t.${quoteName(name)} = ${writeExpression(type, castType, `v.k${i}`)}`,
    );
    const text = `select ${this.#list()} from unnest(${arrays}) as v(${names}) join ${this.#from} on ${same.join(' and ')}`;
    try {
      return await this.#query(
        this.pool,
        text,
        this.key.map((_, i) => keys.map((key) => key[i] ?? null)),
      );
    } catch (error) {
      if (!isRefused(error)) throw error;
      const half = keys.length >> 1;
      return half === 0
        ? []
        : [...(await this.read(keys.slice(0, half))), ...(await this.read(keys.slice(half)))];
    }
  }

  async *#byKey(signal: AbortSignal): AsyncGenerator<Texts[]> {
    const size = new PageSize();
    const names = this.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
    const after = this.key.map(({ type, castType }, i) => writeExpression(type, castType, `$${i + 1}::text`));
    for (let last: Texts | undefined; ; ) {
      signal.throwIfAborted();
      const where = last ? `where (${names}) > (${after.join(', ')})` : '';
      const text = `select ${this.#list()} from ${this.#from} ${where} order by ${names} limit ${size.rows}`;
      const asked = size.rows;
      const rows = await this.#query(
        this.pool,
        text,
        last ? this.key.map(({ name }) => last?.get(name) ?? null) : [],
      );
      size.came(rows.length, bytesOf(rows));
      if (rows.length > 0) yield rows;
      if (rows.length < asked) return;
      last = rows.at(-1);
    }
  }

  async *#bySnapshot(signal: AbortSignal): AsyncGenerator<Texts[]> {
    using connection = await LentConnection.of(this.pool);
    const { client } = connection;
    try {
      const size = new PageSize();
      await client.query('begin isolation level repeatable read read only');
      // Whoever reads the pages may take its time with each.
      await client.query("set local idle_in_transaction_session_timeout = '60s'");
      await client.query(`declare rows no scroll cursor for select ${this.#list()} from ${this.#from}`);
      for (;;) {
        signal.throwIfAborted();
        const rows = await this.#query(client, `fetch ${size.rows} from rows`, []);
        size.came(rows.length, bytesOf(rows));
        if (rows.length === 0) break;
        yield rows;
      }
    } finally {
      connection.isSound = await rolledBack(client);
    }
  }

  #list(): string {
    return this.columns.map(({ name, type }) => readExpression(type, `t.${quoteName(name)}`)).join(', ');
  }

  async #query(on: Pool | PoolClient, text: string, values: unknown[]): Promise<Texts[]> {
    const { rows } = await on.query<(string | null)[]>({ text, values, rowMode: 'array' });
    return rows.map((row) => new Map(this.columns.map(({ name }, i) => [name, row[i] ?? null])));
  }
}

/** Whether Postgres has no such value: a data exception, or an integrity constraint of a domain. */
export function isRefused(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23)/.test(error.code ?? '');
}

function bytesOf(rows: readonly Texts[]): number {
  let bytes = 0;
  for (const row of rows) for (const text of row.values()) bytes += text?.length ?? 0;
  return bytes;
}
