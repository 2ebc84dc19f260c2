import type { ClientBase, Pool } from 'pg';
import { quoteName } from '../postgres/identifier.js';
import { inTransaction } from '../postgres/transaction.js';
import {
  type Checkpoint,
  CheckpointMoved,
  type CheckpointStore,
  type Move,
  type Position,
} from './checkpoint.js';

interface CheckpointRow {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
  readonly last_offset: string | null;
  readonly last_timestamp: string | null;
  readonly rows_read: string;
  readonly rows_applied: string;
}

const COLUMNS = 'topic, partition, next_offset, last_offset, last_timestamp, rows_read, rows_applied';

/** The key of a pipeline's advisory lock, from its name as $1. */
const PIPELINE_LOCK = `hashtextextended('millrace pipeline ' || $1::text, 0)`;

/** The checkpoints of pipelines that write to this Postgres database, in the bridge's own schema. */
export class PostgresCheckpoints {
  readonly #table: string;

  constructor(schema: string) {
    this.#table = `${quoteName(schema)}.checkpoints`;
  }

  /** The statement that makes the table where there is none; the schema must be there. */
  get definition(): string {
    return `create table if not exists ${this.#table} (
      pipeline text not null, topic text not null, partition int not null, next_offset bigint not null,
      last_offset bigint, last_timestamp bigint,
      rows_read bigint not null default 0, rows_applied bigint not null default 0,
      primary key (pipeline, topic, partition))`;
  }

  /** Null where the pipeline has not begun. */
  async get(client: ClientBase, { pipeline, topic, partition }: Position): Promise<Checkpoint | null> {
    const { rows } = await client.query<CheckpointRow>(
      `select ${COLUMNS} from ${this.#table} where pipeline = $1 and topic = $2 and partition = $3`,
      [pipeline, topic, partition],
    );
    return rows[0] ? checkpointOf(rows[0]) : null;
  }

  /** Every partition of a pipeline that was ever begun. */
  async all(client: ClientBase, pipeline: string): Promise<Checkpoint[]> {
    const { rows } = await client.query<CheckpointRow>(
      `select ${COLUMNS} from ${this.#table} where pipeline = $1 order by topic, partition`,
      [pipeline],
    );
    return rows.map(checkpointOf);
  }

  /** Begins at an offset, where the pipeline has not begun already. Waits for a repair under way. */
  async start(client: ClientBase, { pipeline, topic, partition }: Position, offset: bigint): Promise<void> {
    await client.query(
      `insert into ${this.#table} (pipeline, topic, partition, next_offset)
       select $1, $2, $3::int, $4::bigint from (select pg_advisory_xact_lock_shared(${PIPELINE_LOCK})) as l
       on conflict do nothing`,
      [pipeline, topic, partition, offset],
    );
  }

  /**
   * Keeps every partition of a pipeline from moving or beginning until the caller's transaction ends. What a later
   * statement reads has seen every move before.
   */
  async lock(client: ClientBase, pipeline: string): Promise<void> {
    await client.query(`select pg_advisory_xact_lock(${PIPELINE_LOCK})`, [pipeline]);
    await client.query(
      `select from ${this.#table} where pipeline = $1 order by topic, partition for update`,
      [pipeline],
    );
  }

  /**
   * Moves a checkpoint within the caller's transaction, which must end in a rollback if this throws.
   * @throws CheckpointMoved
   */
  async move(client: ClientBase, move: Move): Promise<void> {
    const { pipeline, topic, partition, expected, next, last, counts } = move;
    const { rowCount } = await client.query({
      name: 'move-checkpoint',
      text: `update ${this.#table} set next_offset = $5, last_offset = $6, last_timestamp = $7,
               rows_read = rows_read + $8, rows_applied = rows_applied + $9
             where pipeline = $1 and topic = $2 and partition = $3 and next_offset = $4`,
      values: [
        ...[pipeline, topic, partition, expected, next],
        ...[last?.offset ?? null, last?.timestamp.getTime() ?? null],
        ...[counts?.read ?? 0, counts?.applied ?? 0],
      ],
    });
    if (rowCount === 0) throw new CheckpointMoved(move);
  }
}

/** These checkpoints with connections of a pool. */
export function postgresCheckpointStore(pool: Pool, checkpoints: PostgresCheckpoints): CheckpointStore {
  return {
    get: (position) => inTransaction(pool, (client) => checkpoints.get(client, position)),
    start: (position, offset) => inTransaction(pool, (client) => checkpoints.start(client, position, offset)),
    jump: (move) => inTransaction(pool, (client) => checkpoints.move(client, move)),
    all: (pipeline) => inTransaction(pool, (client) => checkpoints.all(client, pipeline)),
  };
}

function checkpointOf(row: CheckpointRow): Checkpoint {
  const { topic, partition, last_offset, last_timestamp } = row;
  return {
    topic,
    partition,
    next: BigInt(row.next_offset),
    last:
      last_offset === null || last_timestamp === null
        ? null
        : { offset: BigInt(last_offset), timestamp: new Date(Number(last_timestamp)) },
    read: BigInt(row.rows_read),
    applied: BigInt(row.rows_applied),
  };
}
