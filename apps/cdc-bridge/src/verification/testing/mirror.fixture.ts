import { setTimeout as sleep } from 'node:timers/promises';
import { compareSides } from '@millrace/testing';
import { Int32 } from 'mongodb';
import pg from 'pg';
import type { CheckpointStore } from '../../checkpoints/checkpoint.js';
import { MongoCheckpoints } from '../../checkpoints/mongo.checkpoints.js';
import { PostgresCheckpoints, postgresCheckpointStore } from '../../checkpoints/postgres.checkpoints.js';
import type { OneWayPipeline } from '../../pipelines/pipeline.schema.js';
import { sessionOptions } from '../../postgres/session.js';
import type { SourceRows, TargetRow, TargetRows } from '../../rows/rows.js';
import { type Change, compact, type Fields, type Key, type Put } from '../../sinks/compaction.js';
import { MongoSink } from '../../sinks/mongo.sink.js';
import { PostgresSink } from '../../sinks/postgres.sink.js';
import type { Sink } from '../../sinks/sink.js';
import type { Databases } from '../../testing/databases.js';
import { type BsonDocument, TYPED_READS } from '../../values/bson-value.js';
import type { ComparedRoute } from '../route-sides.js';

const PIPELINE = 'items';
const TOPIC = 'changes.items';
const PARTITIONS = 3;

/** A row of the table `items`. */
export interface ItemRow {
  readonly id: number;
  readonly n: number;
  readonly label: string | null;
}

/** The source's table, and a log of its changes with their images in the order of their commits. */
const SOURCE = `
  create schema millrace;
  create table items (id int primary key, n int not null, label text);
  create table changes (seq bigint generated always as identity primary key, id int not null, item jsonb);
  create function log_change() returns trigger language plpgsql as $$ begin
    perform pg_advisory_xact_lock(1);
    insert into changes (id, item) values (coalesce(new.id, old.id), to_jsonb(new));
    return null; end $$;
  create trigger log_change after insert or update or delete on items for each row execute function log_change();
  create table mirrored (id int primary key, n int not null, label text)`;

/** A pipeline of the test's own from `items`, which applies logged images, however old they are by then. */
export class Mirror implements AsyncDisposable {
  /** Milliseconds at most between the reading of a change and its writing. */
  lagMs = 0;
  /** Set while nothing is to be applied. */
  isPaused = false;
  readonly #stop = new AbortController();
  #loops: Promise<void>[] = [];

  private constructor(
    readonly pool: pg.Pool,
    readonly owner: pg.Client,
    readonly sink: Sink,
    readonly checkpoints: CheckpointStore,
    readonly route: ComparedRoute,
    /** Keys, by the tests' own comparison, that are not equal. */
    readonly unlike: () => Promise<readonly string[]>,
    /** Writes at the target behind the pipeline's back. */
    readonly tamper: Tampering,
  ) {}

  static async create(databases: Databases, to: 'postgres' | 'mongo', deletes = 'apply'): Promise<Mirror> {
    const owner = await databases.postgres('owner');
    await owner.query(SOURCE);
    const postgresCheckpoints = new PostgresCheckpoints('millrace');
    await owner.query(postgresCheckpoints.definition);
    const bridge = new URL(databases.postgresUrl('bridge')).username;
    await owner.query(`grant usage on schema millrace to ${bridge};
      grant select, insert, update, delete on items, changes, mirrored, millrace.checkpoints to ${bridge}`);
    const connectionString = databases.postgresUrl('bridge');
    const options = sessionOptions();
    const pool = new pg.Pool({ connectionString, options, max: 10, statement_timeout: 20_000 });
    const pipeline = { name: PIPELINE, deletes } as OneWayPipeline;
    const name = to === 'mongo' ? '_id' : 'id';
    const routed = (target: TargetRows): ComparedRoute => ({
      pipeline,
      source: sourceRows(pool, name),
      target,
      keyless: false,
      gone: (key) => (deletes === 'apply' ? { kind: 'delete', key } : null),
      mayBeGone: () => deletes === 'ignore',
    });
    if (to === 'postgres') {
      const table = { schema: 'public', table: 'mirrored' };
      const sink = await PostgresSink.open(pool, postgresCheckpoints, table, ['id', 'n', 'label']);
      const store = postgresCheckpointStore(pool, postgresCheckpoints);
      const unlike = async () =>
        (await owner.query<{ id: number }>(UNLIKE)).rows.map(({ id }) => `["${id}"]`);
      const tamper: Tampering = {
        copy: () => owner.query('insert into mirrored table items'),
        remove: (id) => owner.query('delete from mirrored where id = $1', [id]),
        put: ({ id, n, label }) =>
          owner.query(
            `insert into mirrored values ($1, $2, $3)
            on conflict (id) do update set n = excluded.n, label = excluded.label`,
            [id, n, label],
          ),
      };
      return new Mirror(pool, owner, sink, store, routed(tableRows(pool)), unlike, tamper);
    }
    const client = await databases.mongo('bridge');
    const collection = client.db(databases.name).collection('items');
    const checkpoints = new MongoCheckpoints(client.db(`${databases.name}_bridge`));
    const sink = await MongoSink.open(client, checkpoints, client.db(databases.name), 'items');
    const unlike = async () => {
      const found = await compareSides(owner, collection, {
        table: 'public.items',
        key: [{ column: 'id', field: '_id', kind: 'integer' }],
        fields: [
          { column: 'n', field: 'n', kind: 'integer' },
          { column: 'label', field: 'label', kind: 'text' },
        ],
      });
      return [...found.onlyInTable, ...found.onlyInCollection, ...found.different];
    };
    const tamper: Tampering = {
      copy: async () => {
        for await (const rows of pages(pool, 'items')) {
          await collection.insertMany(rows.map(({ id, ...row }) => ({ _id: id as never, ...row })));
        }
      },
      remove: (id) => collection.deleteOne({ _id: id as never }),
      put: ({ id, n, label }) => collection.replaceOne({ _id: id as never }, { n, label }, { upsert: true }),
    };
    const target: TargetRows = {
      async *all() {
        const cursor = collection.find<BsonDocument>({}, { ...TYPED_READS, batchSize: 1_000 });
        let page: TargetRow[] = [];
        for await (const document of cursor) {
          page.push(documentRow(document));
          if (page.length < 1_000) continue;
          yield page;
          page = [];
        }
        yield page;
      },
      read: async (keys) => {
        const query = { _id: { $in: keys.map(({ fields }) => fields._id) as never[] } };
        return (await collection.find<BsonDocument>(query, TYPED_READS).toArray()).map(documentRow);
      },
    };
    return new Mirror(pool, owner, sink, checkpoints, routed(target), unlike, tamper);
  }

  async start(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await this.checkpoints.start({ pipeline: PIPELINE, topic: TOPIC, partition }, 0n);
      this.#loops.push(this.#run(partition));
    }
  }

  async caughtUp(): Promise<void> {}

  /** Waits until what is in the log now has been applied. */
  async drained(signal: AbortSignal): Promise<void> {
    const { rows } = await this.pool.query<{ part: number; last: string }>(
      'select id % $1 as part, max(seq) as last from changes group by 1',
      [PARTITIONS],
    );
    for (const { part, last } of rows) {
      const position = { pipeline: PIPELINE, topic: TOPIC, partition: part };
      while (((await this.checkpoints.get(position))?.next ?? 0n) <= BigInt(last)) {
        await sleep(2, undefined, { signal });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
    await this.pool.end();
  }

  async #run(partition: number): Promise<void> {
    const position = { pipeline: PIPELINE, topic: TOPIC, partition };
    let expected = 0n;
    while (!this.#stop.signal.aborted) {
      const { rows } = await this.pool.query<{ seq: string; id: number; item: ItemRow | null }>(
        'select seq, id, item from changes where id % $1 = $2 and seq >= $3 order by seq limit 100',
        [PARTITIONS, partition, expected],
      );
      if (rows.length === 0 || this.isPaused) {
        await sleep(5);
        continue;
      }
      const name = this.keyName;
      const changes = rows.map(
        ({ id, item }): Change => (item ? putOf(item, name) : { kind: 'delete', key: keyOf(id, name) }),
      );
      await sleep(Math.random() * this.lagMs);
      const next = BigInt(rows.at(-1)?.seq ?? 0) + 1n;
      expected = await this.#apply(changes, { ...position, expected, next });
    }
  }

  /** The name of the key's field at the target. */
  get keyName(): string {
    return this.sink instanceof MongoSink ? '_id' : 'id';
  }

  async #apply(changes: readonly Change[], move: Parameters<Sink['apply']>[1]): Promise<bigint> {
    for (;;) {
      try {
        await this.sink.apply(compact(changes), move);
        return move.next;
      } catch (error) {
        if ((error as { code?: string }).code !== 'SINK_CONFLICT') throw error;
        await sleep(Math.random() * 20);
      }
    }
  }
}

export interface Tampering {
  remove(id: number): Promise<unknown>;
  put(row: ItemRow): Promise<unknown>;
  /** Copies the source's rows, whole. */
  copy(): Promise<unknown>;
}

const UNLIKE = `select id from ((table items except table mirrored) union (table mirrored except table items)) as t
  order by id`;

export function keyOf(id: number, name: string): Key {
  return { text: `${id}`, fields: { [name]: new Int32(id) } };
}

function putOf({ id, n, label }: ItemRow, name: string): Put {
  const key = keyOf(id, name);
  const fields: Fields = { ...key.fields, n: new Int32(n), label };
  return { kind: 'put', key, fields, omitted: [], isNew: false };
}

function documentRow(document: BsonDocument): TargetRow {
  const { _id = null } = document;
  return { key: { text: String(_id), fields: { _id } }, fields: document };
}

function sourceRows(pool: pg.Pool, name: string): SourceRows {
  return {
    async *all() {
      for await (const rows of pages(pool, 'items')) yield rows.map((row) => putOf(row, name));
    },
    read: async (keys) => (await byIds(pool, 'items', keys)).map((row) => putOf(row, name)),
  };
}

function tableRows(pool: pg.Pool): TargetRows {
  return {
    async *all() {
      for await (const rows of pages(pool, 'mirrored')) yield rows.map((row) => putOf(row, 'id'));
    },
    read: async (keys) => (await byIds(pool, 'mirrored', keys)).map((row) => putOf(row, 'id')),
  };
}

async function* pages(pool: pg.Pool, table: string): AsyncGenerator<ItemRow[]> {
  for (let after = -1; ; ) {
    const { rows } = await pool.query<ItemRow>(
      `select * from ${table} where id > $1 order by id limit 1000`,
      [after],
    );
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)?.id ?? after;
  }
}

async function byIds(pool: pg.Pool, table: string, keys: readonly Key[]): Promise<ItemRow[]> {
  const ids = keys.map(({ text }) => Number(text));
  return (await pool.query<ItemRow>(`select * from ${table} where id = any($1)`, [ids])).rows;
}
