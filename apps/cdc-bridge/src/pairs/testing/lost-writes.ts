import { type ChangeStreamUpdateDocument, type Document, MongoClient, type Timestamp } from 'mongodb';
import type pg from 'pg';
import type { Databases } from '../../testing/databases.js';

interface Overwrite {
  readonly key: number;
  readonly old: string | null;
  readonly new: string | null;
}

/** Postgres' half: every change of a note, in order, with who made it. */
const AUDIT = `
create table audit (n bigint generated always as identity primary key, key int, by text, old text, new text);
create function audit() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$ begin
  if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old.id <> new.id) then
    insert into audit (key, by, old) values (old.id, session_user, old.note);
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and old.id <> new.id) then
    insert into audit (key, by, new) values (new.id, session_user, new.note);
  elsif tg_op = 'UPDATE' then
    insert into audit (key, by, old, new) values (new.id, session_user, old.note, new.note);
  end if;
  return null;
end $$;
create trigger audit after insert or update or delete on customers for each row execute function audit()`;

/**
 * Watches both databases for what the bridge overwrites. Each write of an application carries a note of its
 * own; one that the bridge overwrites must have been on the other side, or stand in a conflict log.
 */
export class LostWrites implements AsyncDisposable {
  private constructor(
    readonly databases: Databases,
    readonly owner: pg.Client,
    readonly client: MongoClient,
    readonly since: Timestamp,
  ) {}

  /** Watches from now on. */
  static async watch(databases: Databases, owner: pg.Client): Promise<LostWrites> {
    await owner.query(AUDIT);
    const client = await MongoClient.connect(databases.endpoints.mongoAdmin);
    const db = client.db(databases.name);
    const { operationTime } = await db.command({
      collMod: 'customers',
      changeStreamPreAndPostImages: { enabled: true },
    });
    return new LostWrites(databases, owner, client, operationTime);
  }

  /** The applications' writes that the bridge lost, by key and note. */
  async find(conflicts: readonly { key: string; loser: Document | null }[]): Promise<string[]> {
    const { rows: audit } = await this.owner.query<Overwrite & { by: string }>(
      'select key, by, old, new from audit',
    );
    const changes = await this.#changes();
    const customers = changes.filter(({ ns }) => ns.coll === 'customers').map(overwriteOf);
    const logged = new Set(conflicts.map(({ key, loser }) => `${JSON.parse(key)[0]} ${loser?.note}`));
    const [inPostgres, inMongo] = [notesOf(audit), notesOf(customers)];
    const own = new Set(changes.filter(({ ns }) => ns.coll === 'customers.bases').map(transactionOf));
    const lostBy = (overwrites: readonly Overwrite[], other: ReadonlySet<string>) =>
      overwrites
        .filter((write) => write.old !== null && write.old !== write.new)
        .map(({ key, old }) => `${key} ${old}`)
        .filter((write) => !other.has(write) && !logged.has(write));
    return [
      ...lostBy(
        audit.filter(({ by }) => by.endsWith('_bridge')),
        inMongo,
      ),
      ...lostBy(
        customers.filter(({ transaction }) => transaction && own.has(transaction)),
        inPostgres,
      ),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  /** MongoDB's half: every change until now. */
  async #changes(): Promise<Document[]> {
    const own = this.client.db(`${this.databases.name}_bridge`);
    const last = await own.collection('marks').insertOne({}, { writeConcern: { w: 'majority' } });
    const dbs = [this.databases.name, own.databaseName];
    await using stream = this.client.watch<Document, Document>([{ $match: { 'ns.db': { $in: dbs } } }], {
      fullDocument: 'whenAvailable',
      fullDocumentBeforeChange: 'whenAvailable',
      startAtOperationTime: this.since,
    });
    const changes: Document[] = [];
    for await (const change of stream as AsyncIterable<Document>) {
      if (last.insertedId.equals(change.documentKey?._id)) break;
      changes.push(change);
    }
    return changes;
  }
}

function overwriteOf(change: Document): Overwrite & { transaction: string | undefined } {
  const update = change as ChangeStreamUpdateDocument;
  return {
    key: update.documentKey._id as unknown as number,
    old: (update.fullDocumentBeforeChange?.note as string | null | undefined) ?? null,
    new: (update.fullDocument?.note as string | null | undefined) ?? null,
    transaction: transactionOf(change),
  };
}

function transactionOf({ lsid, txnNumber }: Document): string | undefined {
  return lsid && `${lsid.id.toString('hex')} ${txnNumber}`;
}

function notesOf(writes: readonly Overwrite[]): Set<string> {
  return new Set(writes.map((write) => `${write.key} ${write.new}`));
}
