import { type ChangeStreamUpdateDocument, type Document, MongoClient, Timestamp } from 'mongodb';
import type pg from 'pg';
import type { Databases } from '../../testing/databases.js';
import { type Change, NO_NOTE, notLogged, undone } from './undone-deletions.js';

/** A table and its collection have one name. */
export interface WatchedPair {
  readonly table: string;
  /** The pair's own name, in the names of what it keeps. */
  readonly pair: string;
}

/** An entry of a conflict log, with the table that it is of. */
export interface Loser {
  readonly table: string;
  readonly key: string;
  readonly loser: Document | null;
}

/** What was done until some moment. */
export interface Mark {
  readonly audited: number;
  readonly time: Timestamp;
}

export interface Findings {
  /** The applications' writes that the bridge lost: table, key and note; deletions too. */
  readonly lost: readonly string[];
  /** By table, conflicts whose loser is a write that the other side never had. */
  readonly real: Readonly<Record<string, number>>;
}

/** Postgres' half: every change of a row, in order, with who made it; `nested` where a trigger did. */
const AUDIT_TABLE = `
create table audit (n bigint generated always as identity primary key, tbl text, key int, by text, old text, new text,
  nested boolean default pg_trigger_depth() > 1);
create function audit() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
  if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old.id <> new.id) then
    insert into audit (tbl, key, by, old) values (tg_table_name, old.id, session_user, coalesce(old.note, '${NO_NOTE}'));
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and old.id <> new.id) then
    insert into audit (tbl, key, by, new) values (tg_table_name, new.id, session_user, coalesce(new.note, '${NO_NOTE}'));
  elsif tg_op = 'UPDATE' then
    insert into audit (tbl, key, by, old, new)
      values (tg_table_name, new.id, session_user, coalesce(old.note, '${NO_NOTE}'), coalesce(new.note, '${NO_NOTE}'));
  end if;
  return null;
end $$`;

/**
 * Watches both databases for what the bridge overwrites. Each write of an application carries a note of its
 * own; one that the bridge overwrites must have been on the other side, or stand in a conflict log. It knows the
 * bridge's writes by the role in Postgres, and in MongoDB by the transaction that also writes a base.
 */
export class LostWrites implements AsyncDisposable {
  private constructor(
    readonly databases: Databases,
    readonly owner: pg.Client,
    readonly pairs: readonly WatchedPair[],
    readonly client: MongoClient,
    readonly since: Timestamp,
  ) {}

  /** Watches from now on. */
  static async watch(
    databases: Databases,
    owner: pg.Client,
    pairs: readonly WatchedPair[],
  ): Promise<LostWrites> {
    await owner.query(AUDIT_TABLE);
    const client = await MongoClient.connect(databases.endpoints.mongoAdmin);
    const db = client.db(databases.name);
    for (const { table } of pairs) {
      await owner.query(`create trigger audit after insert or update or delete on ${table}
        for each row execute function audit()`);
      await db.command({ collMod: table, changeStreamPreAndPostImages: { enabled: true } });
    }
    const { operationTime } = await db.command({ ping: 1 });
    return new LostWrites(databases, owner, pairs, client, operationTime);
  }

  async mark(): Promise<Mark> {
    const { rows } = await this.owner.query<{ n: string }>('select coalesce(max(n), 0) as n from audit');
    const { operationTime } = await this.client.db(this.databases.name).command({ ping: 1 });
    return { audited: Number(rows[0]?.n), time: operationTime };
  }

  /** How often the bridge wrote rows and documents of each table after the mark; not what triggers did with it. */
  async bridgeWrites(after: Mark): Promise<Record<string, { rows: number; docs: number }>> {
    const rows = (await this.#audit(after.audited)).filter(({ byBridge, nested }) => byBridge && !nested);
    const docs = (await this.#changes(after.time)).filter(({ byBridge }) => byBridge);
    return Object.fromEntries(
      this.pairs.map(({ table }) => {
        const of = (changes: readonly Change[]) => changes.filter((change) => change.table === table).length;
        return [table, { rows: of(rows), docs: of(docs) }];
      }),
    );
  }

  /** Everything that the bridge has put in its conflict logs. */
  async conflicts(): Promise<Loser[]> {
    const own = this.client.db(`${this.databases.name}_bridge`);
    const found: Loser[] = [];
    for (const { table, pair } of this.pairs) {
      const { rows } = await this.owner.query<{ key: string; loser: Document | null }>(
        `select key, loser from ${await this.#logOf(pair)}`,
      );
      const documents = await own.collection(`${pair}.conflicts`).find().toArray();
      for (const { key, loser } of [...rows, ...documents]) found.push({ table, key, loser });
    }
    return found;
  }

  async find(conflicts: readonly Loser[]): Promise<Findings> {
    const rows = await this.#audit();
    const docs = await this.#changes(this.since);
    const [inPostgres, inMongo] = [notesOf(rows), notesOf(docs)];
    const losers = conflicts
      .filter(({ loser }) => typeof loser?.note === 'string')
      .map(({ table, key, loser }) => `${table} ${JSON.parse(key)[0]} ${loser?.note}`);
    const logged = new Set(losers);
    const lostBy = (changes: readonly Change[], other: ReadonlySet<string>) =>
      changes
        .filter((change) => change.byBridge && change.old && change.old !== change.new)
        .map(({ table, key, old }) => `${table} ${key} ${old}`)
        .filter((write) => !other.has(write) && !logged.has(write));
    const real = losers.filter((loser) => inPostgres.has(loser) !== inMongo.has(loser));
    const deletions = [...undone(rows, docs), ...undone(docs, rows)];
    return {
      lost: [
        ...lostBy(rows, inMongo),
        ...lostBy(docs, inPostgres),
        ...notLogged(deletions, conflicts, rows, docs),
      ],
      real: Object.fromEntries(
        this.pairs.map(({ table }) => [table, real.filter((loser) => loser.startsWith(`${table} `)).length]),
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  async #logOf(pair: string): Promise<string> {
    const { rows } = await this.owner.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where tablename = $1`,
      [`${pair}_conflicts`],
    );
    return rows[0]?.name ?? '';
  }

  async #audit(after = 0): Promise<(Change & { nested: boolean })[]> {
    const { rows } = await this.owner.query<Change & { nested: boolean }>(
      `select tbl as table, key, old, new, nested, by like '%\\_bridge' as "byBridge" from audit where n > $1 order by n`,
      [after],
    );
    return rows;
  }

  /** MongoDB's half: every change from some moment until now. */
  async #changes(since: Timestamp): Promise<Change[]> {
    const own = this.client.db(`${this.databases.name}_bridge`);
    const last = await own.collection('marks').insertOne({}, { writeConcern: { w: 'majority' } });
    const dbs = [this.databases.name, own.databaseName];
    await using stream = this.client.watch<Document, Document>([{ $match: { 'ns.db': { $in: dbs } } }], {
      fullDocument: 'whenAvailable',
      fullDocumentBeforeChange: 'whenAvailable',
      startAtOperationTime: new Timestamp({ t: since.t, i: since.i + 1 }), // the last change before has `since`
      batchSize: 5_000,
    });
    const changes: Document[] = [];
    for await (const change of stream as AsyncIterable<Document>) {
      if (last.insertedId.equals(change.documentKey?._id)) break;
      changes.push(change);
    }
    const bases = new Set(this.pairs.map(({ pair }) => `${pair}.bases`));
    const byBridge = new Set(changes.filter(({ ns }) => bases.has(ns.coll)).map(transactionOf));
    const tables = new Set(this.pairs.map(({ table }) => table));
    return changes
      .filter(({ ns, documentKey }) => tables.has(ns.coll) && documentKey)
      .map((change) => {
        const update = change as ChangeStreamUpdateDocument;
        return {
          table: change.ns.coll,
          key: update.documentKey._id as unknown as number,
          old: noteOf(update.fullDocumentBeforeChange),
          new: noteOf(update.fullDocument),
          byBridge: change.lsid !== undefined && byBridge.has(transactionOf(change)),
        };
      });
  }
}

function transactionOf({ lsid, txnNumber }: Document): string | undefined {
  return lsid && `${lsid.id.toString('hex')} ${txnNumber}`;
}

function noteOf(document: Document | null | undefined): string | null {
  return document ? ((document.note as string | null | undefined) ?? NO_NOTE) : null;
}

function notesOf(changes: readonly Change[]): Set<string> {
  return new Set(changes.map((change) => `${change.table} ${change.key} ${change.new}`));
}
