import { randomBytes } from 'node:crypto';
import { copyFrom } from '@millrace/testing';
import pg from 'pg';
import { PostgresCheckpoints } from '../../apps/cdc-bridge/dist/checkpoints/postgres.checkpoints.js';
import { sessionOptions } from '../../apps/cdc-bridge/dist/postgres/session.js';
import { compact } from '../../apps/cdc-bridge/dist/sinks/compaction.js';
import { PostgresSink } from '../../apps/cdc-bridge/dist/sinks/postgres.sink.js';
import { compare, type Side } from '../harness/compare.ts';
import type { Row } from '../harness/table.ts';
import { type Batch, type Columns, changesFor } from './changes.ts';
import { inBatches, OPTIONS } from './sides.ts';

const NAMES = 'id, customer, amount, note, updated_at';
const UPDATE = `on conflict (id) do update set customer = excluded.customer, amount = excluded.amount,
  note = excluded.note, updated_at = excluded.updated_at`;
const position = { pipeline: 'bench', topic: 'bench', partition: 0 };

/** Measures the Postgres sink in a database of its own, which it removes. */
export async function postgresBench(adminUrl: string): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const admin = await connect(adminUrl);
  stack.defer(() => admin.end());
  const name = `bench_${randomBytes(5).toString('hex')}`;
  await admin.query(`create database ${name}`);
  stack.defer(async () => void (await admin.query(`drop database ${name} with (force)`)));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const client = await connect(url.href);
  stack.defer(() => client.end());
  await client.query('create schema millrace');
  for (const table of ['of_sink', 'of_rows', 'of_copy']) {
    await client.query(`create table ${table} (id int primary key, customer text not null,
      amount numeric(18,4) not null, note text, updated_at timestamptz not null)`);
  }
  await client.query('create temporary table staged (like of_copy, n serial)');

  const pool = new pg.Pool({ connectionString: url.href, options: sessionOptions(), max: 2 });
  stack.defer(() => pool.end());
  const batches = changesFor('id');
  const sink = await sinkSide(pool, client, batches);
  const measure = async (baseline: Side, atLeast: number): Promise<Row> => ({
    what: sink.name,
    baseline: baseline.name,
    atLeast,
    comparison: await compare(sink, baseline, OPTIONS),
  });
  return [await measure(rowSide(client, batches), 25), await measure(copySide(client, batches), 0.5)];
}

/** What the bridge does with a batch once it is decoded: fold it, write it, move the checkpoint. */
async function sinkSide(pool: pg.Pool, client: pg.Client, batches: readonly Batch[]): Promise<Side> {
  const checkpoints = new PostgresCheckpoints('millrace');
  await client.query(checkpoints.definition);
  await checkpoints.start(client, position, 0n);
  const table = { schema: 'public', table: 'of_sink' };
  const sink = await PostgresSink.open(pool, checkpoints, table, NAMES.split(', '));
  let expected = 0n;
  return inBatches('Postgres sink', batches, async ({ changes }) => {
    const next = expected + BigInt(changes.length);
    await sink.apply(compact(changes), { ...position, expected, next });
    expected = next;
  });
}

/** Each change a statement, prepared, and a commit of its own; no checkpoint. */
function rowSide(client: pg.Client, batches: readonly Batch[]): Side {
  const text = `insert into of_rows (${NAMES}) values ($1, $2, $3, $4, $5) ${UPDATE}`;
  return inBatches('row at a time', batches, async ({ rows }) => {
    for (const row of rows) await client.query({ name: 'row', text, values: Object.values(row) });
  });
}

/** COPY into a temporary table and a merge from there, in one transaction; no checkpoint. */
function copySide(client: pg.Client, batches: readonly Batch[]): Side {
  return inBatches('COPY + merge', batches, async ({ rows }) => {
    await client.query('begin; truncate staged');
    await copyFrom(client, `copy staged (${NAMES}) from stdin`, Buffer.from(rows.map(line).join('')));
    // Of each key the row that came last.
    await client.query(`insert into of_copy (${NAMES})
      select distinct on (id) ${NAMES} from staged order by id, n desc ${UPDATE}; commit`);
  });
}

function line(row: Columns): string {
  return `${Object.values(row).join('\t')}\n`;
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  await client.connect();
  return client;
}
