import { expect, test } from 'vitest';
import { newOrderId } from './order-id.js';

test('an id is a version 7 UUID that begins with its millisecond', () => {
  const id = newOrderId(new Date(0x019a9c3e5b1f));
  expect(id).toMatch(/^019a9c3e-5b1f-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('ids sort by the time they were made', () => {
  const ids = Array.from({ length: 100 }, (_, ms) => newOrderId(new Date(1_700_000_000_000 + ms)));
  expect(ids.toSorted()).toEqual(ids);
});
