import type { Comparison } from '@millrace/testing';
import { type ClientSession, type Db, type Document, Int32, type MongoClient } from 'mongodb';
import { randomFrom } from '../../pairs/testing/random.js';
import type { Databases } from '../databases.js';
import { type Pace, PacedWork } from './paced-work.js';

export const DOCUMENT_COLLECTIONS = ['parcels', 'depots'] as const;
export type DocumentCollection = (typeof DOCUMENT_COLLECTIONS)[number];

/** So many of the documents that were there first are written again. */
const HOT = 8_000;

interface Written extends Document {
  readonly _id: string;
}

/** As Debezium calls it. */
type Op = 'c' | 'u' | 'd';
interface Touched {
  readonly collection: DocumentCollection;
  readonly op: Op;
}
/** Null where there was no such document. */
type Write = (db: Db, session: ClientSession | undefined) => Promise<Touched | null>;

/**
 * Applications that insert, update and delete documents of two collections, one at a time and several in a
 * transaction over both. No two writes leave the same document behind.
 */
export class DocumentsLoad {
  /** Inserts, updates and deletes that found something to do and were committed. */
  readonly written: Readonly<Record<DocumentCollection, Record<Op, number>>> = {
    parcels: { c: 0, u: 0, d: 0 },
    depots: { c: 0, u: 0, d: 0 },
  };
  #transactions = 0;

  private constructor(
    readonly databases: Databases,
    readonly initial: number,
    readonly seed: number,
  ) {}

  /** Fills both collections, each with so many documents. */
  static async create(databases: Databases, initial: number, seed: number): Promise<DocumentsLoad> {
    const db = await databases.documents('app');
    for (const collection of DOCUMENT_COLLECTIONS) {
      const documents = Array.from({ length: initial }, (_, n) => documentOf(idOf(n), 'initial', n));
      await db.collection<Written>(collection).insertMany(documents, { ordered: false });
    }
    return new DocumentsLoad(databases, initial, seed);
  }

  /** Transactions over several documents that were committed. */
  get transactions(): number {
    return this.#transactions;
  }

  async start(clients: number, pace: Pace): Promise<PacedWork> {
    const connected = await Promise.all(Array.from({ length: clients }, () => this.databases.mongo('app')));
    return new PacedWork(
      pace,
      connected.map((client) => (turn: number) => this.#turn(client, turn)),
    );
  }

  async #turn(client: MongoClient, turn: number): Promise<void> {
    const random = randomFrom(this.seed + turn);
    const upTo = (n: number) => Math.floor(random() * n);
    const db = client.db(this.databases.name);
    if (random() < 0.75) {
      this.#count([await this.#write(turn, 0, upTo)(db, undefined)]);
      return;
    }
    const writes = Array.from({ length: 2 + upTo(3) }, (_, part) => this.#write(turn, part, upTo));
    await using session = client.startSession();
    const done = await session.withTransaction(async () => {
      const touched: (Touched | null)[] = [];
      for (const write of writes) touched.push(await write(db, session));
      return touched;
    });
    this.#count(done);
    this.#transactions++;
  }

  #count(all: readonly (Touched | null)[]): void {
    for (const touched of all) if (touched) this.written[touched.collection][touched.op]++;
  }

  /** The same for the same turn, whatever came before it and however often it is tried. */
  #write(turn: number, part: number, upTo: (n: number) => number): Write {
    const collection = DOCUMENT_COLLECTIONS[upTo(2)] as DocumentCollection;
    const kind = upTo(10);
    const _id = kind < 3 ? `new ${turn} ${part}` : idOf(upTo(Math.min(this.initial, HOT)));
    const note = `turn ${turn} part ${part}`;
    return async (db, session) => {
      const documents = db.collection<Written>(collection);
      const options = { ...(session && { session }) };
      if (kind < 3) {
        await documents.insertOne(documentOf(_id, note, turn), options);
        return { collection, op: 'c' };
      }
      if (kind < 5) {
        const { deletedCount } = await documents.deleteOne({ _id }, options);
        return deletedCount === 0 ? null : { collection, op: 'd' };
      }
      const change = { $set: { note, 'details.turn': new Int32(turn) }, $inc: { changes: 1 } };
      const { modifiedCount } = await documents.updateOne({ _id }, change, options);
      return modifiedCount === 0 ? null : { collection, op: 'u' };
    };
  }
}

const idOf = (n: number) => `document ${String(n).padStart(6, '0')}`;

function documentOf(_id: string, note: string, n: number): Written {
  return { _id, note, changes: new Int32(0), details: { turn: new Int32(n), tags: [note, null, 0.5] } };
}

/** The columns of the tables that the collections flow into, and where in the document each comes from. */
export const DOCUMENT_COLUMNS = { id: '_id', note: 'note', changes: 'changes', details: 'details' };

export const documentTable = (name: DocumentCollection) =>
  `create table ${name} (id text primary key, note text not null, changes int not null, details jsonb)`;

/** For the tests' own comparison. */
export const documentsCompared = (name: DocumentCollection): Comparison => ({
  table: name,
  key: [{ column: 'id', field: '_id', kind: 'text' }],
  fields: [
    { column: 'note', field: 'note', kind: 'text' },
    { column: 'changes', field: 'changes', kind: 'integer' },
    { column: 'details', field: 'details', kind: 'json' },
  ],
});
