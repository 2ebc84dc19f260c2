import { expect, it } from 'vitest';
import { BloomFilter } from './bloom-filter.js';

it('has every text that was added, and hardly another', () => {
  const filter = new BloomFilter();
  for (let n = 0; n < 20_000; n++) filter.add(`added ${n}`);
  const count = (kind: string) =>
    Array.from({ length: 20_000 }, (_, n) => filter.has(`${kind} ${n}`)).filter((has) => has).length;
  expect(count('added')).toBe(20_000);
  expect(count('other')).toBeLessThan(3);
});
