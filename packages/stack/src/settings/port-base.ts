import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { StackError } from '../stack.error.js';
import { BLOCK_SIZE } from './stack-env.js';

const FIRST_BASE = 12_000;
// Below the ports that Linux gives to outgoing connections (from 32768).
const END_BASE = 32_000;
const BASES = (END_BASE - FIRST_BASE) / BLOCK_SIZE;

/** All bases, each once, from the one that the folder's path stands for. */
export const basesFor = (path: string): number[] => {
  const hash = createHash('sha256').update(path).digest().readUInt32BE();
  return Array.from({ length: BASES }, (_, i) => FIRST_BASE + ((hash + i) % BASES) * BLOCK_SIZE);
};

/**
 * The first base for this path whose whole block is free.
 * @throws StackError BUSY_PORT where there is none.
 */
export const pickPortBase = async (
  path: string,
  offsets: readonly number[],
  isFree = isPortFree,
): Promise<number> => {
  for (const base of basesFor(path)) {
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new StackError(
    'BUSY_PORT',
    `No free block of ports between ${FIRST_BASE} and ${END_BASE}: end what listens there, or set MILLRACE_PORT_BASE.`,
  );
};

/** @throws StackError WRONG_SETTINGS where the value is not a usable base. */
export const parsePortBase = (value: string): number => {
  const base = Number(value);
  if (Number.isInteger(base) && base >= 1024 && base + BLOCK_SIZE <= 65_536) return base;
  throw new StackError(
    'WRONG_SETTINGS',
    `MILLRACE_PORT_BASE must be a number from 1024 to ${65_536 - BLOCK_SIZE}, but is "${value}".`,
  );
};

/** Whether this process could listen on 127.0.0.1 there. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
