import { createHash } from 'node:crypto';
import { fromUnits, toUnits } from './money.js';
import type { OrderRequest } from './order.js';

/** What an Idempotency-Key may be: 1 to 255 printable ASCII characters. */
export const IDEMPOTENCY_KEY_PATTERN = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/**
 * SHA-256 of what a request says, so that a retry can be told from another request under the same key.
 * The order of the fields, white space and trailing zeros of a price do not matter; the order of the lines does.
 */
export function requestHash({ customerId, currency, lines }: OrderRequest): Buffer {
  const said = [
    customerId,
    currency,
    lines.map(({ sku, quantity, unitPrice }) => [sku, quantity, fromUnits(toUnits(unitPrice))]),
  ];
  return createHash('sha256').update(JSON.stringify(said)).digest();
}
