import type { EventContract } from '@millrace/schemas';
import type { Codec } from '../codec/index.js';
import type { SqlExecutor, SqlQuery } from '../sql.js';
import { uuidV7 } from '../uuid-v7.js';
import { outboxRecord } from './outbox-record.js';
import type { OutboxStore } from './outbox-store.js';

const APPEND = `
  insert into outbox (id, aggregatetype, aggregateid, type, payload, traceparent)
  values ($1::uuid, $2, $3, $4, $5, $6)`;

/** Writes events as rows of the table `outbox`, from where Debezium's EventRouter takes them. */
export class PostgresOutbox {
  constructor(private readonly codec: Pick<Codec, 'encode'>) {}

  /**
   * One INSERT in the caller's transaction, carrying the active trace.
   *
   * @returns the event's id
   * @throws EncodeError @throws SchemaNotRegisteredError before anything is written
   */
  async append<T>(execute: SqlExecutor, contract: EventContract<T>, event: NoInfer<T>): Promise<string> {
    const record = outboxRecord(this.codec, contract, event);
    const eventId = uuidV7();
    const { topic, key, type, payload, traceparent } = record;
    await execute(APPEND, [eventId, topic, key, type, payload, traceparent]);
    return eventId;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export class PostgresOutboxStore implements OutboxStore {
  constructor(
    private readonly execute: SqlExecutor,
    private readonly query: SqlQuery,
  ) {}

  async remove(eventIds: readonly string[]): Promise<void> {
    const ids = eventIds.filter((id) => UUID.test(id));
    if (ids.length > 0) await this.execute('delete from outbox where id = any($1::uuid[])', [ids]);
  }

  async oldest(): Promise<Date | null> {
    const [row] = await this.query('select created_at as oldest from outbox order by id limit 1', []);
    const oldest = row?.oldest;
    return oldest instanceof Date ? oldest : null;
  }
}
