import { randomUUID } from 'node:crypto';
import { silentLog, TopicOffsets } from '@millrace/messaging';
import { type Compared, compareSides, eventually, LogReader, type StackEndpoints } from '@millrace/testing';
import type { Db } from 'mongodb';
import type pg from 'pg';
import { OWN_SCHEMA, WATERMARKS_COLLECTION, WATERMARKS_TABLE } from '../../names/bridge-names.js';
import type { PipelineStatus } from '../../runner/pipeline.service.js';
import { BridgeUnderTest } from '../../testing/bridge-under-test.js';
import type { ConflictPolicy } from '../pair.decision.js';
import { LostWrites } from './lost-writes.js';

/** By table, who wins: each is a pair with the collection of the same name. */
export type Policies = Readonly<Record<string, ConflictPolicy>>;

/** The columns that every table begins with, but for the key `id`. */
const COMPARED: readonly Compared[] = [
  { column: 'name', field: 'name', kind: 'text' },
  { column: 'balance', field: 'balance', kind: 'number' },
  { column: 'updated_at', field: 'updated_at', kind: 'instant' },
  { column: 'note', field: 'note', kind: 'text' },
];
const COLUMNS =
  'id int primary key, name text, balance numeric(10,2), updated_at timestamptz, note varchar(20)';
const REST_MS = 120_000;

export interface Instances {
  readonly policies: Policies;
  /** A table besides, which is of no pair. */
  readonly unpaired: string;
  /** Run by the tables' owner, before the bridge is prepared. */
  readonly sql: string;
  readonly instances: number;
}

/** Pairs of one database with another, kept by the bridge's own processes, and what tests ask of them. */
export class RunningPairs implements AsyncDisposable {
  readonly #compared = [...COMPARED];

  private constructor(
    readonly bridge: BridgeUnderTest,
    readonly policies: Policies,
    readonly owner: pg.Client,
    readonly app: pg.Client,
    readonly docs: Db,
    readonly watched: LostWrites,
    readonly offsets: TopicOffsets,
  ) {}

  static async deploy(
    stack: StackEndpoints,
    { policies, unpaired, sql, instances }: Instances,
    bridge: BridgeUnderTest,
  ): Promise<RunningPairs> {
    const { databases } = bridge;
    const owner = await databases.postgres('owner');
    for (const table of [...Object.keys(policies), unpaired]) {
      await owner.query(`create table ${table} (${COLUMNS});
        grant select, insert, update, delete, truncate on ${table} to ${databases.name}_app`);
    }
    await owner.query(sql);
    await bridge.deploy(
      Object.entries(policies).map(([table, conflict]) => ({
        name: pairOf(bridge, table),
        between: [
          { postgres: bridge.names.postgres, table: `public.${table}` },
          { mongo: bridge.names.mongo, collection: table },
        ],
        conflict,
      })),
      instances,
    );
    const watched = await LostWrites.watch(
      databases,
      owner,
      Object.keys(policies).map((table) => ({ table, pair: pairOf(bridge, table) })),
    );
    const pairs = new RunningPairs(
      bridge,
      policies,
      owner,
      await databases.postgres('app'),
      await databases.documents('app'),
      watched,
      new TopicOffsets({ brokers: stack.kafka.bootstrapServers, clientId: 'running-pairs', log: silentLog }),
    );
    for (const table of pairs.tables)
      await pairs.app.query(`insert into ${table} (id, note) values (0, 'first') on conflict do nothing`);
    await eventually('the first rows', REST_MS, async () => (await pairs.differences()).length === 0);
    await pairs.atRest();
    return pairs;
  }

  get tables(): string[] {
    return Object.keys(this.policies);
  }

  pairOf(table: string): string {
    return pairOf(this.bridge, table);
  }

  /** Of each of the two topics, where that is the smaller. */
  async partitions(table: string): Promise<number> {
    const ranges = await Promise.all(this.#topics(table).map((topic) => this.offsets.ranges(topic)));
    return Math.min(...ranges.map(({ length }) => length));
  }

  /** On every instance. */
  async statuses(table: string): Promise<PipelineStatus[]> {
    return await Promise.all(this.bridge.instances.map((_, i) => this.bridge.status(this.pairOf(table), i)));
  }

  /** Pauses every pair while `work` is done, on all instances. */
  async paused<T>(work: () => Promise<T>): Promise<T> {
    await this.#ask('pause');
    await eventually('every instance to pause', REST_MS, async () => {
      const statuses = await Promise.all(this.tables.map((table) => this.statuses(table)));
      return statuses.flat().every(({ state }) => state === 'paused');
    });
    const result = await work();
    await this.#ask('resume');
    return result;
  }

  /** Adds a column with a default to every table. */
  async addNumber(column: string): Promise<void> {
    for (const table of this.tables)
      await this.owner.query(`alter table ${table} add column ${column} int default 7`);
    this.#compared.push({ column, field: column, kind: 'number' });
  }

  /** Resolves when the bridge has looked at every change that was committed on either side before the call. */
  async atRest(): Promise<void> {
    await this.#caughtUp();
    for (const table of this.tables) {
      await eventually(`every hint of ${table} to be looked at`, REST_MS, async () => {
        const { rows } = await this.owner.query<{ topic: string; partition: number; next: string }>(
          `select topic, partition, next_offset as next from ${OWN_SCHEMA}."${this.pairOf(table)}_positions"`,
        );
        for (const topic of this.#topics(table)) {
          for (const { partition, high } of await this.offsets.ranges(topic)) {
            const position = rows.find((row) => row.topic === topic && row.partition === partition);
            if (BigInt(position?.next ?? 0) < high) return false;
          }
        }
        const statuses = await this.statuses(table);
        return statuses.every(({ state, pair }) => state === 'running' && pair?.queued === 0);
      });
    }
  }

  /** What the tests' own comparison finds. */
  async differences(tables = this.tables): Promise<string[]> {
    const found: string[] = [];
    for (const table of tables) {
      const { onlyInTable, onlyInCollection, different } = await compareSides(
        this.owner,
        this.docs.collection(table),
        { table, key: [{ column: 'id', field: '_id', kind: 'number' }], fields: this.#compared },
      );
      found.push(
        ...[...onlyInTable, ...onlyInCollection, ...different].map((key) => `${table} ${key} differs`),
      );
    }
    return found;
  }

  /** Keys that the bridge has given up for the moment. */
  async parked(): Promise<string[]> {
    const parked = this.tables.map(async (table) => {
      const { rows } = await this.owner.query<{ text: string }>(
        `select key || ': ' || reason as text from ${OWN_SCHEMA}."${this.pairOf(table)}_parked"`,
      );
      return rows.map(({ text }) => `${table} ${text}`);
    });
    return (await Promise.all(parked)).flat();
  }

  /** What the bridge's own comparison finds. */
  async verify(table: string): Promise<Record<string, unknown>> {
    return await this.bridge.ask('POST', `/pipelines/${this.pairOf(table)}/verify`);
  }

  /** Every entry of a conflict log, by the API. */
  async conflicts(table: string): Promise<ApiConflict[]> {
    const found: ApiConflict[] = [];
    for (let before = ''; ; ) {
      const path = `/pipelines/${this.pairOf(table)}/conflicts?limit=200${before && `&before=${before}`}`;
      const page = await this.bridge.ask<{ items: ApiConflict[]; nextBefore: string | null }>('GET', path);
      found.push(...page.items);
      if (page.nextBefore === null) return found;
      before = page.nextBefore;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watched[Symbol.asyncDispose]();
    await this.offsets.close();
    await this.bridge[Symbol.asyncDispose]();
  }

  /** Twice: Connect ends one transaction in every partition before it begins the next. */
  async #caughtUp(): Promise<void> {
    const { bridge } = this;
    const rows = `${OWN_SCHEMA}.${WATERMARKS_TABLE}`;
    const topics = [bridge.topic({ table: rows }), bridge.topic({ collection: WATERMARKS_COLLECTION })];
    const writer = await bridge.databases.postgres('bridge');
    const reader = await LogReader.fromNow(bridge.stack.kafka.bootstrapServers, topics);
    try {
      for (let time = 0; time < 2; time++) {
        const id = randomUUID();
        await writer.query(`insert into ${rows} (id) values ($1)`, [id]);
        await this.docs.collection<{ _id: string }>(WATERMARKS_COLLECTION).insertOne({ _id: id });
        await eventually('both connectors to have caught up', REST_MS, async () => {
          const seen = (await reader.read()).filter(({ key }) => key?.includes(id));
          return topics.every((topic) => seen.some((record) => record.topic === topic));
        });
      }
    } finally {
      await reader.close();
      await writer.end();
    }
  }

  async #ask(what: 'pause' | 'resume'): Promise<void> {
    for (const table of this.tables) {
      await eventually(`${table} to ${what}`, REST_MS, () =>
        this.bridge.ask('POST', `/pipelines/${this.pairOf(table)}/${what}`),
      );
    }
  }

  #topics(table: string): string[] {
    return [this.bridge.topic({ table: `public.${table}` }), this.bridge.topic({ collection: table })];
  }
}

export interface ApiConflict {
  readonly id: string;
  readonly key: string;
  readonly lost: 'postgres' | 'mongo';
  readonly loser: Readonly<Record<string, unknown>> | null;
}

/** Unique, as the pair's consumer group is. */
function pairOf({ names }: BridgeUnderTest, table: string): string {
  return `${names.postgres}-${table.replaceAll('_', '-')}`;
}
