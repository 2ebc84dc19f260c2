import { join } from 'node:path';
import { deployConnectors } from '@millrace/cli';
import { eventually } from '@millrace/testing';
import pg from 'pg';
import { inject } from 'vitest';
import { root } from './root.js';

/** What an operator can do to an outbox's connector, through Connect's REST API (KIP-875 for the offsets). */
class OutboxConnector {
  constructor(
    readonly name: string,
    private readonly forget: () => Promise<void>,
  ) {}

  /** Deploys it as declared, and starts it where it was stopped. */
  async deploy(): Promise<void> {
    await this.#call('PUT', '/resume', [202, 404]);
    const declared = join(root, 'infra/connectors');
    await deployConnectors(inject('stack').connect.url, declared, AbortSignal.timeout(90_000));
  }

  /** Stops it and deletes its offsets: it begins with a snapshot when it goes on. */
  async loseOffsets(): Promise<void> {
    await this.#call('PUT', '/stop', [204]);
    await eventually(`${this.name} to be stopped`, 30_000, async () => {
      const status = (await this.#call('GET', '/status', [200])) as {
        connector: { state: string };
        tasks: unknown[];
      };
      return status.connector.state === 'STOPPED' && status.tasks.length === 0;
    });
    await eventually(`the offsets of ${this.name} to be deleted`, 30_000, () =>
      this.#call('DELETE', '/offsets', [200]),
    );
  }

  /** As if it had never been: no connector, no offsets, no replication slot. */
  async removeWithoutTrace(): Promise<void> {
    await this.loseOffsets();
    await this.#call('DELETE', '', [204]);
    await eventually(`what ${this.name} left to be gone`, 30_000, async () => {
      await this.forget();
      return true;
    });
  }

  async #call(method: string, path: string, expected: number[]): Promise<unknown> {
    const url = `${inject('stack').connect.url}/connectors/${this.name}${path}`;
    const response = await fetch(url, { method, signal: AbortSignal.timeout(15_000) });
    const text = await response.text();
    if (!expected.includes(response.status)) throw new Error(`${method} ${url}: ${response.status} ${text}`);
    return text === '' ? true : JSON.parse(text);
  }
}

export const outboxConnectors = [
  new OutboxConnector('orders-outbox', () => dropSlot('orders_outbox')),
  new OutboxConnector('inventory-outbox', async () => {}),
];

async function dropSlot(slot: string): Promise<void> {
  const url = new URL('/orders', inject('stack').databases.postgresAdmin);
  const client = new pg.Client({
    connectionString: url.href,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  await client.connect();
  try {
    await client.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
      [slot],
    );
  } finally {
    await client.end();
  }
}
