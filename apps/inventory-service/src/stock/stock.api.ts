import { z } from 'zod';
import { decodeCursor } from './stock.cursor.js';
import { available, MAX_ON_HAND, type StockLevel } from './stock.decision.js';

/** A stock keeping unit as orders may name it. */
export const sku = z
  .string()
  .min(1)
  .max(100, 'must be at most 100 characters')
  .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), 'must not contain control characters')
  .refine((text) => text.trim() === text, 'must not begin or end with white space')
  .describe('Stock keeping unit');

const pieces = z.int('must be a whole number').min(0, 'must not be below 0');

export const putStock = z.strictObject({
  onHand: pieces.max(MAX_ON_HAND, `must not be above ${MAX_ON_HAND}`).describe('Pieces in the warehouse'),
});
export type PutStock = z.output<typeof putStock>;

export const listStock = z.strictObject({
  cursor: z
    .string()
    .refine((cursor) => decodeCursor(cursor) !== undefined, 'must be the nextCursor of an earlier page')
    .optional()
    .describe('nextCursor of the page before; none: the first page'),
  limit: z.coerce
    .number('must be a whole number from 1 to 200')
    .int('must be a whole number from 1 to 200')
    .min(1, 'must be a whole number from 1 to 200')
    .max(200, 'must be a whole number from 1 to 200')
    .default(50)
    .describe('Most SKUs in a page'),
});
export type ListStock = z.output<typeof listStock>;

export const stockView = z.object({
  sku: z.string(),
  onHand: pieces.describe('Pieces in the warehouse'),
  reserved: pieces.describe('Pieces promised to orders'),
  available: pieces.describe('Pieces that can still be promised'),
});
export type StockView = z.output<typeof stockView>;

export const stockPage = z.object({
  items: z.array(stockView),
  nextCursor: z
    .string()
    .nullable()
    .describe('Give it as cursor to get the next page; null: this is the last'),
});
export type StockPage = z.output<typeof stockPage>;

export function toStockView(level: StockLevel): StockView {
  const { sku, onHand, reserved } = level;
  return { sku, onHand, reserved, available: available(level) };
}
