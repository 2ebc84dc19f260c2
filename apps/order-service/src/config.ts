import { milliseconds, serviceConfig, url } from '@millrace/service-defaults';
import { z } from 'zod';

/** What order-service reads from its environment. */
export const orderServiceConfig = serviceConfig.extend({
  DATABASE_URL: url('postgres', 'postgresql').describe(
    'The orders database as the role orders_app, for example postgres://orders_app:secret@127.0.0.1:5432/orders',
  ),
  DATABASE_POOL_SIZE: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe('Most connections to the database; one more is kept for LISTEN'),
  ORDER_EXPIRY_MS: milliseconds().default(60_000).describe('How long an order may stay unanswered'),
  ORDER_EXPIRY_SWEEP_MS: milliseconds(10)
    .default(1_000)
    .describe('How often to look for orders that stayed unanswered'),
  ORDER_STREAMS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('Most order streams that one instance serves at once'),
});

export type OrderServiceConfig = z.output<typeof orderServiceConfig>;
