import { expect, test } from 'vitest';
import { Wake } from './wake.js';

test('who is rung wakes at once', async () => {
  const wake = new Wake();
  const slept = wake.within(60_000);
  wake.up();
  expect(await slept).toBe(true);
});

test('a ring while nobody sleeps is heard at the next try, once', async () => {
  const wake = new Wake();
  wake.up();
  wake.up();
  expect(await wake.within(60_000)).toBe(true);
  expect(await wake.within(1)).toBe(false);
});
