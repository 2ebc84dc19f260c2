import type { ClientBase } from 'pg';
import { quoteName } from '../postgres/identifier.js';
import { CheckpointMoved, type Move, type Position } from './checkpoint.js';

/** The checkpoints of pipelines that write to this Postgres database, in the bridge's own schema. */
export class PostgresCheckpoints {
  readonly #table: string;

  constructor(schema: string) {
    this.#table = `${quoteName(schema)}.checkpoints`;
  }

  /** Makes the table where there is none; the schema must be there. */
  async create(client: ClientBase): Promise<void> {
    await client.query(`create table if not exists ${this.#table} (
      pipeline text not null, topic text not null, partition int not null, next_offset bigint not null,
      primary key (pipeline, topic, partition))`);
  }

  /** The next offset to read; null where the pipeline has not begun. */
  async read(client: ClientBase, { pipeline, topic, partition }: Position): Promise<bigint | null> {
    const { rows } = await client.query<{ next_offset: string }>(
      `select next_offset from ${this.#table} where pipeline = $1 and topic = $2 and partition = $3`,
      [pipeline, topic, partition],
    );
    return rows[0] ? BigInt(rows[0].next_offset) : null;
  }

  /** Begins at an offset, where the pipeline has not begun already. */
  async begin(client: ClientBase, { pipeline, topic, partition }: Position, offset: bigint): Promise<void> {
    await client.query(`insert into ${this.#table} values ($1, $2, $3, $4) on conflict do nothing`, [
      pipeline,
      topic,
      partition,
      offset,
    ]);
  }

  /**
   * Moves a checkpoint within the caller's transaction, which must end in a rollback if this throws.
   * @throws CheckpointMoved
   */
  async move(client: ClientBase, move: Move): Promise<void> {
    const { rowCount } = await client.query({
      name: 'move-checkpoint',
      text: `update ${this.#table} set next_offset = $5
             where pipeline = $1 and topic = $2 and partition = $3 and next_offset = $4`,
      values: [move.pipeline, move.topic, move.partition, move.expected, move.next],
    });
    if (rowCount === 0) throw new CheckpointMoved(move);
  }
}
