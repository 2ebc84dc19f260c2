import { CODEC, ConsumerHealth } from '@millrace/messaging';
import { createService, loadConfig } from '@millrace/service-defaults';
import { orderServiceConfig } from '../config.js';
import { PrismaModule } from '../database/prisma.module.js';
import { OrderServiceHealth } from '../health.js';
import { OrdersModule } from '../orders/orders.module.js';
import { bareCodec } from './orders-instance.js';

const noKafka = {
  module: class NoKafka {},
  global: true,
  providers: [{ provide: CODEC, useValue: bareCodec }, ConsumerHealth],
  exports: [CODEC, ConsumerHealth],
};
const ordersApi = {
  module: class OrdersApi {},
  imports: [noKafka, PrismaModule, OrdersModule],
  providers: [OrderServiceHealth],
};

/** The whole service but for Kafka, listening. `onLine` gets its log. */
export async function startOrdersApi(databaseUrl: string, env: Record<string, string> = {}) {
  const config = loadConfig(orderServiceConfig, {
    PORT: '0',
    LOG_LEVEL: 'warn',
    KAFKA_BROKERS: '127.0.0.1:1',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    DATABASE_URL: databaseUrl,
    ...env,
  });
  const log: string[] = [];
  const logStream = { write: (line: string) => void log.push(line) };
  const service = await createService({ name: 'order-service', module: ordersApi, config, logStream });
  await service.app.listen(0, '127.0.0.1');
  const url = await service.app.getUrl();
  return {
    url,
    log,
    service,
    send: async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await response.text();
      const type = response.headers.get('content-type') ?? '';
      return { status: response.status, type, text, body: type.includes('json') ? JSON.parse(text) : text };
    },
  };
}

export type OrdersApi = Awaited<ReturnType<typeof startOrdersApi>>;
