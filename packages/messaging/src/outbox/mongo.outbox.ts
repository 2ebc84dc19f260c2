import type { EventContract } from '@millrace/schemas';
import { type ClientSession, type Db, ObjectId } from 'mongodb';
import type { Codec } from '../codec/index.js';
import { outboxRecord } from './outbox-record.js';
import type { OutboxStore } from './outbox-store.js';

/** Every field is always there: a document without one of them fails Debezium's whole connector. */
interface OutboxDocument {
  _id: ObjectId;
  aggregatetype: string;
  aggregateid: string;
  type: string;
  payload: Buffer;
  traceparent: string | null;
  createdAt: Date;
}

const outbox = (db: Db) => db.collection<OutboxDocument>('outbox');

/** Writes events as documents of the collection `outbox`, from where Debezium's MongoEventRouter takes them. */
export class MongoOutbox {
  constructor(
    private readonly codec: Pick<Codec, 'encode'>,
    private readonly db: Db,
  ) {}

  /**
   * One insert in the caller's transaction, carrying the active trace.
   *
   * @returns the event's id
   * @throws EncodeError @throws SchemaNotRegisteredError before anything is written
   */
  async append<T>(session: ClientSession, contract: EventContract<T>, event: NoInfer<T>): Promise<string> {
    const { topic, key, type, payload, traceparent } = outboxRecord(this.codec, contract, event);
    const _id = new ObjectId();
    await outbox(this.db).insertOne(
      { _id, aggregatetype: topic, aggregateid: key, type, payload, traceparent, createdAt: new Date() },
      { session },
    );
    return _id.toHexString();
  }
}

const OBJECT_ID = /^[0-9a-f]{24}$/i;

export class MongoOutboxStore implements OutboxStore {
  constructor(private readonly db: Db) {}

  async remove(eventIds: readonly string[]): Promise<void> {
    const ids = eventIds.filter((id) => OBJECT_ID.test(id)).map((id) => new ObjectId(id));
    if (ids.length > 0) await outbox(this.db).deleteMany({ _id: { $in: ids } });
  }

  /** By `_id`, which begins with the second of its making, so that no index is needed. */
  async oldest(): Promise<Date | null> {
    const document = await outbox(this.db).findOne({}, { sort: { _id: 1 }, projection: { createdAt: 1 } });
    return document?.createdAt ?? null;
  }
}
