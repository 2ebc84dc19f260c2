import { expect, it } from 'vitest';
import { assertEnough } from './machine.js';
import { assertPortsFree } from './ports.js';

const GIB = 1024 ** 3;

it('names a busy port, who needs it and the fix, in one sentence', async () => {
  const needs = [
    { port: 14_301, by: 'kafka-1' },
    { port: 14_320, by: 'postgres' },
  ];
  await assertPortsFree(needs, async () => true);
  await expect(assertPortsFree(needs, async (port) => port !== 14_320)).rejects.toThrow(
    /^Port 14320, which postgres needs, .*MILLRACE_PORT_BASE[^.\n]*\.$/,
  );
});

it('says in one sentence how much memory or disk is missing and what helps', () => {
  const enough = { availableMemory: 4 * GIB, availableDisk: 4 * GIB };
  assertEnough(enough, '/data');
  expect(() => assertEnough({ ...enough, availableMemory: 1.5 * GIB }, '/data')).toThrow(
    'needs about 3.0 GiB of memory, but only 1.5 GiB are available: close other programs',
  );
  expect(() => assertEnough({ ...enough, availableDisk: GIB / 2 }, '/data')).toThrow(
    'needs about 2.0 GiB of disk, but only 0.5 GiB are free at /data: free some space',
  );
});
