import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type { SqlExecutor, SqlQuery } from '../sql.js';

/** The tables as the services' migrations make them. */
const TABLES = `
  create table outbox (
    id uuid primary key, aggregatetype text not null, aggregateid text not null, type text not null,
    payload bytea not null, traceparent text, created_at timestamptz not null default now());
  create table inbox (
    event_id text primary key, topic text not null, handled_at timestamptz not null default now());
  create index on inbox (handled_at);`;

export interface PostgresUnderTest {
  readonly pool: pg.Pool;
  readonly execute: SqlExecutor;
  readonly query: SqlQuery;
  /** Runs work in a transaction that is rolled back where the work rejects. */
  transaction<T>(work: (execute: SqlExecutor) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A database for one test file, gone when it is closed. */
export async function openPostgres(): Promise<PostgresUnderTest> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const adminUrl = inject('stack').databases.postgresAdmin;
  await asAdmin(adminUrl, `create database ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 8 });
  await pool.query(TABLES);
  const executor =
    (on: pg.Pool | pg.PoolClient): SqlExecutor =>
    async (sql, params) =>
      (await on.query(sql, params)).rowCount ?? 0;
  return {
    pool,
    execute: executor(pool),
    query: async (sql, params) => (await pool.query(sql, params)).rows,
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const result = await work(executor(client));
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback');
        throw error;
      } finally {
        client.release();
      }
    },
    async close() {
      await pool.end();
      await asAdmin(adminUrl, `drop database ${name} with (force)`);
    },
  };
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
