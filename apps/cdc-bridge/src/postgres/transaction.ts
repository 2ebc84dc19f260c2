import type { Pool, PoolClient } from 'pg';
import { LentConnection } from './lent-connection.js';

/**
 * Runs `work` in a transaction on a connection of the pool: committed when it resolves, rolled back when it
 * rejects. A connection that could not even be rolled back is closed.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  using connection = await LentConnection.of(pool);
  const { client } = connection;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    connection.isSound = true;
    return result;
  } catch (error) {
    connection.isSound = await rolledBack(client);
    throw error;
  }
}

/** Ends the transaction that is under way. @returns whether the connection answered */
export function rolledBack(client: PoolClient): Promise<boolean> {
  return client.query('rollback').then(
    () => true,
    () => false,
  );
}
