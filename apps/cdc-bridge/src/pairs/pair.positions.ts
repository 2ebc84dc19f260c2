import type { Pool } from 'pg';
import type { PairTables } from './pair.tables.js';

/**
 * Up to where a pair's hints have been looked at. Not compared before it moves, as a checkpoint is: a reader
 * that lost its partition has looked at its keys all the same.
 */
export class PairPositions {
  constructor(
    private readonly pool: Pool,
    private readonly tables: PairTables,
  ) {}

  /** The next offset to read; null where none was read. */
  async read(topic: string, partition: number): Promise<bigint | null> {
    const { rows } = await this.pool.query<{ next_offset: string }>(
      `select next_offset from ${this.tables.positions} where topic = $1 and partition = $2`,
      [topic, partition],
    );
    return rows[0] ? BigInt(rows[0].next_offset) : null;
  }

  /** Every partition that was read from. */
  async all(topic: string): Promise<Map<number, bigint>> {
    const { rows } = await this.pool.query<{ partition: number; next_offset: string }>(
      `select partition, next_offset from ${this.tables.positions} where topic = $1`,
      [topic],
    );
    return new Map(rows.map(({ partition, next_offset }) => [partition, BigInt(next_offset)]));
  }

  /** Never goes back. */
  async advance(topic: string, partition: number, next: bigint): Promise<void> {
    await this.#set(topic, partition, next, `greatest(p.next_offset, excluded.next_offset)`);
  }

  /** Begins elsewhere, where the topic no longer holds the position. */
  async reset(topic: string, partition: number, next: bigint): Promise<void> {
    await this.#set(topic, partition, next, 'excluded.next_offset');
  }

  async #set(topic: string, partition: number, next: bigint, value: string): Promise<void> {
    await this.pool.query(
      `insert into ${this.tables.positions} as p values ($1, $2, $3)
       on conflict (topic, partition) do update set next_offset = ${value}`,
      [topic, partition, next],
    );
  }
}
