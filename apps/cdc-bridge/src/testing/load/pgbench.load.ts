import { type Comparison, copyFrom } from '@millrace/testing';
import type pg from 'pg';
import { randomFrom } from '../../pairs/testing/random.js';
import type { Databases } from '../databases.js';
import { type Pace, PacedWork } from './paced-work.js';

const TELLERS_PER_BRANCH = 10;
const ACCOUNTS_PER_BRANCH = 100_000;

export const PGBENCH_TABLES = ['history', 'branches', 'tellers', 'accounts'] as const;
export type PgbenchTable = (typeof PGBENCH_TABLES)[number];

/** The history is in a schema that comes first in the alphabet: its snapshot is taken first. */
export const pgbenchTable = (table: PgbenchTable) =>
  `${table === 'history' ? 'audit' : 'public'}.pgbench_${table}`;

/**
 * The tables of `pgbench --initialize` and its default transaction, "TPC-B (sort of)"
 * (postgresql.org/docs/18/pgbench.html): every transaction changes an account, its teller and its branch, and adds a
 * row to the history, which has no key.
 */
export class Pgbench {
  /** Accounts that its transactions have changed: one each, where the account is there. */
  accountUpdates = 0;

  private constructor(
    readonly databases: Databases,
    readonly scale: number,
    readonly seed: number,
  ) {}

  /** Makes the tables, full, as the owner; they may be written by the application. */
  static async create(databases: Databases, scale: number, seed: number): Promise<Pgbench> {
    const owner = await databases.postgres('owner');
    await owner.query(`
      create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
      create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84));
      create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
      create schema audit;
      create table audit.pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
      insert into pgbench_branches (bid, bbalance) select bid, 0 from generate_series(1, ${scale}) as bid;
      insert into pgbench_tellers (tid, bid, tbalance)
        select tid, (tid - 1) / ${TELLERS_PER_BRANCH} + 1, 0
          from generate_series(1, ${scale * TELLERS_PER_BRANCH}) as tid;
      insert into pgbench_accounts (aid, bid, abalance, filler)
        select aid, (aid - 1) / ${ACCOUNTS_PER_BRANCH} + 1, 0, ''
          from generate_series(1, ${scale * ACCOUNTS_PER_BRANCH}) as aid;
      grant usage on schema audit to ${databases.name}_app;
      grant select, insert, update, delete on all tables in schema public, audit to ${databases.name}_app`);
    return new Pgbench(databases, scale, seed);
  }

  get accounts(): number {
    return this.scale * ACCOUNTS_PER_BRANCH;
  }

  /** Begins transactions of so many clients; the same ones for the same seed and `from`. */
  async start(clients: number, pace: Pace, from = 0): Promise<PacedWork> {
    const connections = await Promise.all(
      Array.from({ length: clients }, () => this.databases.postgres('app')),
    );
    return new PacedWork(
      pace,
      connections.map((client) => (turn: number) => this.#transaction(client, from + turn)),
    );
  }

  /** Adds rows to a table in one COPY, beyond all keys that there are. Rows of the history differ in their delta. */
  async copy(client: pg.Client, table: 'accounts' | 'history', rows: number, from: number): Promise<void> {
    const line = {
      accounts: (n: number) => `${this.accounts + n}\t1\t0\tcopied\n`,
      history: (n: number) => `1\t1\t${n % this.accounts}\t${n}\t2026-01-01 00:00:00.000001\t\\N\n`,
    }[table];
    const lines = Array.from({ length: rows }, (_, i) => line(from + i + 1));
    await copyFrom(client, `copy ${pgbenchTable(table)} from stdin`, Buffer.from(lines.join('')));
  }

  async #transaction(client: pg.Client, turn: number): Promise<void> {
    const random = randomFrom(this.seed + turn);
    const upTo = (n: number) => 1 + Math.floor(random() * n);
    const aid = upTo(this.accounts);
    const bid = upTo(this.scale);
    const tid = upTo(this.scale * TELLERS_PER_BRANCH);
    const delta = upTo(10_001) - 5_001;
    await client.query('begin');
    const { rowCount } = await client.query(
      'update pgbench_accounts set abalance = abalance + $1 where aid = $2',
      [delta, aid],
    );
    await client.query('select abalance from pgbench_accounts where aid = $1', [aid]);
    await client.query('update pgbench_tellers set tbalance = tbalance + $1 where tid = $2', [delta, tid]);
    await client.query('update pgbench_branches set bbalance = bbalance + $1 where bid = $2', [delta, bid]);
    await client.query(
      'insert into audit.pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)',
      [tid, bid, aid, delta],
    );
    await client.query('commit');
    this.accountUpdates += rowCount ?? 0;
  }
}

const integer = (column: string, field = column) => ({ column, field, kind: 'integer' }) as const;
const filler = { column: 'filler', field: 'filler', kind: 'text' } as const;

/** For the tests' own comparison. */
export const PGBENCH_COMPARED: Readonly<Record<PgbenchTable, Comparison>> = {
  branches: {
    table: pgbenchTable('branches'),
    key: [integer('bid', '_id')],
    fields: [integer('bbalance'), filler],
  },
  tellers: {
    table: pgbenchTable('tellers'),
    key: [integer('tid', '_id')],
    fields: [integer('bid'), integer('tbalance'), filler],
  },
  accounts: {
    table: pgbenchTable('accounts'),
    key: [integer('aid', '_id')],
    fields: [integer('bid'), integer('abalance'), filler],
  },
  history: {
    table: pgbenchTable('history'),
    key: [],
    fields: [
      ...['tid', 'bid', 'aid', 'delta'].map((column) => integer(column)),
      { column: 'mtime', field: 'mtime', kind: 'microseconds' },
      filler,
    ],
  },
};
