import { eventually } from '@millrace/testing';
import { Decimal128, Int32, Long } from 'mongodb';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { CheckpointMoved, type Move } from '../checkpoints/checkpoint.js';
import { PostgresCheckpoints } from '../checkpoints/postgres.checkpoints.js';
import { Databases } from '../testing/databases.js';
import { type Change, compact, type Fields, type Put } from './compaction.js';
import { PostgresSink } from './postgres.sink.js';
import { RowsMissing, SinkError } from './sink.error.js';

const COLUMNS = ['id', 'select', 'a"; drop table x; --', 'amount', 'label'] as const;
const position = { pipeline: 'stock', topic: 'changes.stock', partition: 3 };
const checkpoints = new PostgresCheckpoints('millrace_bridge');

let databases: Databases;
let owner: pg.Client;
let pool: pg.Pool;
let sink: PostgresSink;
let next: bigint;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  const bridge = new URL(databases.postgresUrl('bridge')).username;
  // Who waits looks for a deadlock once: late enough for a test to have made one.
  await (await databases.superuser()).query(`alter role ${bridge} set deadlock_timeout = '3s'`);
  await owner.query(`create schema millrace_bridge`);
  await owner.query(checkpoints.definition);
  await owner.query(`
    create table x (id int generated always as identity, "select" text, "a""; drop table x; --" int,
      amount numeric(10,2) check (amount < 1000), label varchar(5) unique, twice numeric generated always as (amount * 2) stored,
      primary key ("select", id));
    create table keyless (id int);
    grant usage on schema millrace_bridge to ${bridge};
    grant select, insert, update, delete on x, keyless, millrace_bridge.checkpoints to ${bridge}`);
  pool = new pg.Pool({ connectionString: databases.postgresUrl('bridge'), max: 3, statement_timeout: 5_000 });
  pool.on('error', () => {}); // an idle connection that a test ends
  sink = await PostgresSink.open(pool, checkpoints, { schema: 'public', table: 'x' }, COLUMNS);
});

beforeEach(async () => {
  await owner.query('truncate x');
  await owner.query('truncate millrace_bridge.checkpoints');
  next = 10n;
  await checkpoints.start(owner, position, next);
});

afterAll(async () => {
  await pool?.end();
  await databases?.[Symbol.asyncDispose]();
});

function row(id: number, label: string, fields: Fields = {}): Put {
  const key = { text: `${id}`, fields: { id: new Int32(id), select: 'k' } };
  const whole = {
    ...key.fields,
    'a"; drop table x; --': new Int32(7),
    amount: Decimal128.fromString('1.50'),
    label,
  };
  return { kind: 'put', key, fields: { ...whole, ...fields }, omitted: [], isNew: false };
}
const gone = (id: number): Change => ({ kind: 'delete', key: row(id, '').key });

async function apply(changes: Change[], move: Partial<Move> = {}): Promise<void> {
  const { lacking, ...effects } = compact(changes);
  expect(lacking).toEqual([]);
  await sink.apply(effects, { ...position, expected: next, next: next + BigInt(changes.length), ...move });
  next += BigInt(changes.length);
}

const rows = async () => (await owner.query('select id, label, amount, twice from x order by id')).rows;

describe('PostgresSink', () => {
  it('writes rows and the checkpoint together, and writes them again in place', async () => {
    await apply([row(1, 'one'), row(2, 'two'), row(3, 'three')]);
    await apply([row(2, 'zwei'), gone(3), row(4, 'four')]);
    expect(await rows()).toEqual([
      { id: 1, label: 'one', amount: '1.50', twice: '3.00' },
      { id: 2, label: 'zwei', amount: '1.50', twice: '3.00' },
      { id: 4, label: 'four', amount: '1.50', twice: '3.00' },
    ]);
    expect((await checkpoints.get(owner, position))?.next).toBe(16n);
  });

  it('keeps what a change left out', async () => {
    await apply([row(1, 'one')]);
    const { label: _, ...told } = row(1, '', { amount: Decimal128.fromString('9.00') }).fields;
    await apply([{ ...row(1, ''), fields: told, omitted: ['label'] }]);
    expect(await rows()).toEqual([{ id: 1, label: 'one', amount: '9.00', twice: '18.00' }]);
  });

  it('marks a row where it is there, and does nothing where not', async () => {
    const mark = (id: number): Put => ({
      ...row(id, 'gone'),
      omitted: ['amount', 'a"; drop table x; --'],
      ifThere: true,
    });
    await apply([row(1, 'one')]);
    await apply([mark(1), mark(2)]);
    expect(await rows()).toEqual([{ id: 1, label: 'gone', amount: '1.50', twice: '3.00' }]);
  });

  it('writes nothing where a patch finds no row, and names it', async () => {
    const patch: Put = { ...row(5, 'x'), omitted: ['amount'] };
    await expect(apply([row(1, 'one'), patch])).rejects.toThrow(RowsMissing);
    await expect(apply([patch])).rejects.toMatchObject({ keys: ['5'] });
    expect(await rows()).toEqual([]);
    expect((await checkpoints.get(owner, position))?.next).toBe(10n);
  });

  it('writes nothing for a reader that lost its partition', async () => {
    await apply([row(1, 'one')]);
    await expect(apply([row(1, 'late')], { expected: 10n })).rejects.toThrow(CheckpointMoved);
    expect(await rows()).toMatchObject([{ label: 'one' }]);
  });

  it('lets one of two readers win, whatever the moment', async () => {
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((label, i) => apply([row(i, label)], { expected: 10n })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
  });

  it('frees a unique value before it is taken by another row of the batch', async () => {
    await apply([row(1, 'same')]);
    await apply([gone(1), row(2, 'same')]);
    expect(await rows()).toMatchObject([{ id: 2, label: 'same' }]);
  });

  it('tells a refused row from one that may pass later', async () => {
    await apply([row(1, 'taken')]);
    const tooMuch = row(2, 'b', { amount: Decimal128.fromString('1000') });
    await expect(apply([tooMuch])).rejects.toMatchObject({ code: 'SINK_REFUSED', canRetry: false });
    const rounded = row(2, 'b', { amount: Decimal128.fromString('1.234') });
    await expect(apply([rounded])).rejects.toMatchObject({ code: 'SINK_REFUSED', message: /numeric/ });
    await expect(apply([row(2, 'too long')])).rejects.toMatchObject({ code: 'SINK_REFUSED' });
    await expect(apply([row(2, 'taken')])).rejects.toMatchObject({ code: 'SINK_CONFLICT', canRetry: true });
    expect(await rows()).toHaveLength(1);
  });

  it('tells a deadlock from a refusal, and passes once it is over', async () => {
    await apply([row(1, 'one'), row(2, 'two')]);
    const other = await databases.superuser();
    await other.query(`set deadlock_timeout = '1h'`); // the sink is the one to give up
    try {
      await other.query('begin');
      await other.query(`select from x where id = 2 for update`);
      const refused = expect(apply([row(1, 'eins'), row(2, 'zwei')])).rejects.toMatchObject({
        code: 'SINK_CONFLICT',
        isContention: true,
        cause: { code: '40P01' },
      });
      await eventually('the sink to wait for the other', 5_000, async () => {
        const { rows } = await other.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      await other.query(`select from x where id = 1 for update`);
      await refused;
    } finally {
      await other.query('rollback');
    }
    await apply([row(1, 'eins'), row(2, 'zwei')]);
    expect(await rows()).toMatchObject([{ label: 'eins' }, { label: 'zwei' }]);
  });

  it('writes a batch by one delete and one upsert, prepared once, however many rows it has', async () => {
    const alone = new pg.Pool({ connectionString: databases.postgresUrl('bridge'), max: 1 });
    try {
      const own = await PostgresSink.open(alone, checkpoints, { schema: 'public', table: 'x' }, COLUMNS);
      const effects = (first: number) => {
        const changes = Array.from({ length: 400 }, (_, i) =>
          i < 200 ? gone(first + i) : row(first + i, `${first + i}`),
        );
        return compact(changes);
      };
      for (const [i, first] of [1, 1_001, 2_001].entries()) {
        const [expected, next] = [10n + BigInt(i), 11n + BigInt(i)];
        await own.apply(effects(first), { ...position, expected, next });
      }
      const { rows } = await alone.query(
        `select split_part(trim(statement), ' ', 1) as command, generic_plans + custom_plans as times
         from pg_prepared_statements where statement ilike '%"x"%' order by 1`,
      );
      expect(rows).toEqual([
        { command: 'delete', times: '3' },
        { command: 'insert', times: '3' },
      ]);
    } finally {
      await alone.end();
    }
    expect(await rows()).toHaveLength(600);
  });

  it('lets go of what a repair holds where the source does not answer', async () => {
    await expect(sink.repair(position.pipeline, () => new Promise(() => {}))).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
    });
    await apply([row(1, 'one')]);
    expect(await rows()).toHaveLength(1);
  }, 30_000);

  it('goes on after its connection was ended', async () => {
    await apply([row(1, 'one')]);
    const admin = await databases.superuser();
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      new URL(databases.postgresUrl('bridge')).username,
    ]);
    const refusals: unknown[] = [];
    // Each connection of the pool that was ended may refuse once.
    await eventually('the sink to go on', 10_000, () =>
      apply([row(2, 'two')]).then(
        () => true,
        (error: unknown) => refusals.push(error) === 0,
      ),
    );
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(SinkError);
      expect(refusal).toMatchObject({ code: 'SINK_UNAVAILABLE' });
    }
    expect(await rows()).toHaveLength(2);
  });

  it('names what a table lacks', async () => {
    const open = (table: string, columns: string[]) =>
      PostgresSink.open(pool, checkpoints, { schema: 'public', table }, columns);
    await expect(open('x', ['id', 'nothing'])).rejects.toThrow('public.x has no column nothing');
    await expect(open('x', ['id', 'twice'])).rejects.toThrow('twice of public.x is generated');
    await expect(open('x', ['id', 'label'])).rejects.toThrow('nothing is mapped to select');
    await expect(open('keyless', ['id'])).rejects.toThrow('no primary key');
    await expect(open('missing', ['id'])).rejects.toThrow('does not exist');
  });

  it('keeps an offset beyond 2^53', async () => {
    const far = Long.MAX_VALUE.toBigInt();
    await apply([row(1, 'one')], { next: far });
    expect((await checkpoints.get(owner, position))?.next).toBe(far);
  });
});
