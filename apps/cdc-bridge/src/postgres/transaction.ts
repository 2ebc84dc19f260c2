import type { Pool, PoolClient } from 'pg';

/**
 * Runs `work` in a transaction on a connection of the pool: committed when it resolves, rolled back when it
 * rejects. A connection that could not even be rolled back is closed.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection that ends between two statements must fail the next one, not the process.
  client.on('error', ignore);
  let broken = true;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    broken = false;
    return result;
  } catch (error) {
    broken = !(await client.query('rollback').catch(() => undefined));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

function ignore(): void {}
