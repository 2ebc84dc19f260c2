import { register } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { outboxAgeMetric } from './outbox-age.metric.js';
import type { OutboxStore } from './outbox-store.js';

let asked = 0;
beforeEach(() => {
  asked = 0;
});

/** The gauge as one scrape sees it. */
async function scrape(oldest: OutboxStore['oldest']): Promise<() => Promise<number | undefined>> {
  outboxAgeMetric({
    remove: async () => undefined,
    oldest: () => {
      asked++;
      return oldest();
    },
  });
  return async () => {
    const text = await register.getSingleMetricAsString('millrace_outbox_age_seconds');
    return Number(text.split('\n').at(-1)?.split(' ').at(-1));
  };
}

test('is the age of the oldest row, and 0 without one', async () => {
  const old = await scrape(async () => new Date(Date.now() - 90_000));
  expect(await old()).toBeCloseTo(90, 0);
  const empty = await scrape(async () => null);
  expect(await empty()).toBe(0);
});

test('asks the database at most once a second, however often it is scraped', async () => {
  const value = await scrape(async () => new Date(Date.now() - 5_000));
  const values = await Promise.all(Array.from({ length: 20 }, value));
  expect([asked, await value()]).toEqual([1, expect.closeTo(5, 0)]);
  expect(values.length).toBe(20);
});

test.each([
  ['does not answer', () => new Promise<never>(() => undefined)],
  ['refuses', () => Promise.reject(new Error('away'))],
])('is unknown within a second where the database %s', async (_, oldest) => {
  const begun = performance.now();
  const value = await scrape(oldest);
  expect(await value()).toBeNaN();
  expect(performance.now() - begun).toBeLessThan(3_000);
});
