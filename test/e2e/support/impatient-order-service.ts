import { eventually } from '@millrace/testing';
import { execa } from 'execa';
import getPort from 'get-port';
import { inject } from 'vitest';
import { root } from './root.js';

/** One more instance of order-service, on the same database, that lets unanswered orders expire soon. */
export async function impatientOrderService({
  orderExpiryMs,
}: {
  orderExpiryMs: number;
}): Promise<AsyncDisposable> {
  const { kafka, registry, databases } = inject('stack');
  const port = await getPort({ host: '127.0.0.1' });
  const process_ = execa('node', ['apps/order-service/dist/main.js'], {
    cwd: root,
    env: {
      PORT: String(port),
      KAFKA_BROKERS: kafka.bootstrapServers.join(','),
      SCHEMA_REGISTRY_URL: registry.url,
      DATABASE_URL: databases.orders.app,
      ORDER_EXPIRY_MS: String(orderExpiryMs),
    },
    forceKillAfterDelay: 20_000,
    reject: false,
    buffer: false,
  });
  await eventually('one more instance of order-service', 30_000, async () => {
    const live = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(2_000) });
    return live.ok;
  });
  return {
    async [Symbol.asyncDispose]() {
      process_.kill('SIGTERM');
      await process_;
    },
  };
}
