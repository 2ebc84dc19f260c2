import { describe, expect, test } from 'vitest';
import { IDEMPOTENCY_KEY_PATTERN, requestHash } from './idempotency.js';

const line = { sku: 'tea', quantity: 2, unitPrice: '1.50' };
const request = { customerId: 'c-1', currency: 'EUR', lines: [line, { ...line, sku: 'ship' }] };

describe('two requests say the same', () => {
  test('whatever the order of their fields and the zeros of their prices', () => {
    const { customerId, ...rest } = request;
    const lines = request.lines.map(({ sku, ...other }) => ({ ...other, unitPrice: '1.5', sku }));
    expect(requestHash({ ...rest, lines, customerId })).toEqual(requestHash(request));
  });

  test.each([
    { ...request, customerId: 'c-2' },
    { ...request, currency: 'USD' },
    { ...request, lines: request.lines.slice(1) },
    { ...request, lines: request.lines.toReversed() },
    { ...request, lines: [{ ...line, quantity: 3 }, ...request.lines.slice(1)] },
    { ...request, lines: [{ ...line, unitPrice: '1.51' }, ...request.lines.slice(1)] },
  ])('but not with another %j', (other) => {
    expect(requestHash(other)).not.toEqual(requestHash(request));
  });
});

test('a key is printable and at most 255 characters', () => {
  for (const key of ['a', '8e03978e-40d5-43e8-bc93-6894a57f9324', '"quoted key"', 'x'.repeat(255)]) {
    expect(key).toMatch(IDEMPOTENCY_KEY_PATTERN);
  }
  for (const key of ['', ' ', 'x'.repeat(256), 'é', 'a\tb']) expect(key).not.toMatch(IDEMPOTENCY_KEY_PATTERN);
});
