import { statfs } from 'node:fs/promises';
import { StackError } from '../stack.error.js';

const GIB = 1024 ** 3;
export const MEMORY_NEEDED = 3 * GIB;
export const DISK_NEEDED = 2 * GIB;

/** What this machine has to give, in bytes; memory within the limit of a container. */
export interface Machine {
  readonly availableMemory: number;
  readonly availableDisk: number;
}

export const readMachine = async (folder: string): Promise<Machine> => {
  const { bavail, bsize } = await statfs(folder);
  return { availableMemory: process.availableMemory(), availableDisk: bavail * bsize };
};

/** @throws StackError LOW_MEMORY or LOW_DISK, one sentence with the fix. */
export const assertEnough = ({ availableMemory, availableDisk }: Machine, folder: string): void => {
  if (availableMemory < MEMORY_NEEDED) {
    throw new StackError(
      'LOW_MEMORY',
      `The stack needs about ${gib(MEMORY_NEEDED)} of memory, but only ${gib(availableMemory)} are available: ` +
        'close other programs, or give this machine or container more memory.',
    );
  }
  if (availableDisk < DISK_NEEDED) {
    throw new StackError(
      'LOW_DISK',
      `The stack needs about ${gib(DISK_NEEDED)} of disk, but only ${gib(availableDisk)} are free at ${folder}: ` +
        'free some space there, or `npx pnpm stack down --volumes` in a checkout whose data you no longer need.',
    );
  }
};

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
