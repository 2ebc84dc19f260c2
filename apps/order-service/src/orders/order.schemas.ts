import { z } from 'zod';
import { fromCursor } from './cursor.js';
import { IDEMPOTENCY_KEY_PATTERN } from './idempotency.js';
import { PRICE_PATTERN } from './money.js';
import { orderStatuses } from './order.state.js';

const MAX_LINES = 100;
const MAX_QUANTITY = 1_000_000;

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !/\p{Cc}/u.test(value) && value.isWellFormed(), 'must not contain control characters')
    .refine((value) => value.trim() === value, 'must not begin or end with white space');

const price = z
  .string('must be a string, so that no digit is lost')
  .regex(PRICE_PATTERN, 'must be a decimal like "12.50": at most 14 digits before the point and 4 after it')
  .meta({ example: '12.50' });

/** `POST /orders`. */
export const orderRequest = z.strictObject({
  customerId: text(100).meta({ example: 'customer-1' }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code like "EUR"')
    .meta({ example: 'EUR' }),
  lines: z
    .array(
      z.strictObject({
        sku: text(100).meta({ example: 'tea-250g' }),
        quantity: z.int().min(1).max(MAX_QUANTITY),
        unitPrice: price,
      }),
    )
    .min(1)
    .max(MAX_LINES),
});

export const orderId = z.uuid('must be an order id').transform((id) => id.toLowerCase());

export const idempotencyKey = z
  .string('is missing: give each new order a key of its own, for example a UUID')
  .regex(IDEMPOTENCY_KEY_PATTERN, 'must be 1 to 255 printable ASCII characters')
  .describe('Names this request: sent again with the same key, it places no second order');

/** `GET /orders`. The cursor becomes the id to go on after. */
export const listQuery = z.strictObject({
  status: z.enum(orderStatuses).optional(),
  cursor: z
    .string()
    .transform((cursor, check) => {
      const id = fromCursor(cursor);
      if (id) return id;
      check.addIssue({ code: 'custom', message: 'must be the nextCursor of a page' });
      return z.NEVER;
    })
    .optional()
    .describe('Where to go on: the nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export type ListQuery = z.output<typeof listQuery>;

/** The id of the last server-sent event that the client had: an EventSource sends it when it connects again. */
export const lastEventId = z
  .string()
  .regex(/^\d{1,18}$/, 'must be the id of an event of this stream')
  .transform(BigInt)
  .optional()
  .describe('Go on after this event');

const amount = z.string().meta({ example: '12.5000' });
const time = z.iso.datetime();

/** An order as clients see it. */
export const orderView = z.object({
  id: z.uuid(),
  customerId: z.string(),
  currency: z.string(),
  status: z.enum(orderStatuses),
  lines: z.array(z.object({ sku: z.string(), quantity: z.int(), unitPrice: amount })),
  total: amount,
  reason: z.string().nullable().describe('Why the order was rejected'),
  placedAt: time,
  updatedAt: time,
});

/** A page of orders, newest first. */
export const ordersView = z.object({
  items: z.array(orderView),
  nextCursor: z.string().nullable().describe('The cursor of the next page; null on the last one'),
});

/** An order's history in order. */
export const historyView = z.object({
  items: z.array(
    z.object({
      eventId: z.string(),
      type: z.string().meta({ example: 'millrace.orders.OrderPlaced' }),
      at: time,
      handled: z.boolean().describe('false: the order emitted the event; true: it received it'),
      changed: z.boolean().optional().describe('Only where handled: whether the order changed with it'),
    }),
  ),
});
