import type { Pool, PoolClient } from 'pg';

/**
 * A connection of a pool, given back when it is disposed of. The pool does not listen to it meanwhile: one that ends
 * between two statements must fail the next one, not the process.
 */
export class LentConnection implements Disposable {
  /** To be set once no transaction and no answer is left on it: until then it is closed, not used again. */
  isSound = false;

  private constructor(readonly client: PoolClient) {
    client.on('error', ignore);
  }

  /** @throws what the pool throws */
  static async of(pool: Pool): Promise<LentConnection> {
    return new LentConnection(await pool.connect());
  }

  [Symbol.dispose](): void {
    this.client.off('error', ignore);
    this.client.release(!this.isSound);
  }
}

function ignore(): void {}
