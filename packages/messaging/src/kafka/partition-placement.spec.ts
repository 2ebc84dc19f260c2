import { expect, test } from 'vitest';
import { partitionOf } from './partition-placement.js';

/** From Kafka 4.3.1's own `BuiltInPartitioner.partitionForKey`, for 3, 6, 12 and 50 partitions. */
const JAVA: [key: string, ...partitions: number[]][] = [
  ['a', 1, 4, 4, 24],
  ['ab', 2, 2, 2, 34],
  ['abc', 0, 3, 3, 7],
  ['abcd', 2, 2, 8, 0],
  ['order-1', 1, 4, 10, 26],
  ['0190a5c2-7f3e-7a4b-9c1d-2e3f4a5b6c7d', 1, 4, 4, 4],
  ['f47ac10b-58cc-4372-a567-0e02b2c3d479', 2, 2, 2, 46],
  ['ключ', 2, 2, 8, 24],
  ['鍵🔑', 1, 4, 10, 32],
  ['65f1c0ffee0123456789abcd', 1, 1, 1, 41],
];

test.each(JAVA)('%s lies where a Java producer puts it', (key, ...expected) => {
  expect([3, 6, 12, 50].map((partitions) => partitionOf('any', key, partitions))).toEqual(expected);
});
