import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Machine } from './preflight/machine.js';
import type { FindRuntimes } from './programs.js';
import { RuntimeError, type RuntimeErrorCode } from './runtimes/runtime.error.js';
import { openStack } from './stack.js';

const ROOT = join(import.meta.dirname, '../../..');
const GIB = 1024 ** 3;
const enough: Machine = { availableMemory: 64 * GIB, availableDisk: 64 * GIB };

/** A stack in a folder of its own, on the free ports that belong to that folder. */
async function stackOn(machine: Machine, findRuntimes: FindRuntimes) {
  const stateDir = await mkdtemp(join(tmpdir(), 'millrace-stack-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const stack = openStack({ root: ROOT, stateDir, readMachine: async () => machine, findRuntimes });
  return { stack, stateDir };
}

async function expectNothingStarted(stateDir: string): Promise<void> {
  expect(await readdir(join(stateDir, 'run'))).toEqual([]);
  expect(await readdir(join(stateDir, 'logs'))).toEqual([]);
  await expect(access(join(stateDir, 'stack.json'))).rejects.toThrow('ENOENT');
}

it.each([
  {
    code: 'LOW_MEMORY',
    machine: { ...enough, availableMemory: GIB },
    sentence: /^The stack needs about 3\.0 GiB of memory, but only 1\.0 GiB are available: [^\n]+\.$/,
  },
  {
    code: 'LOW_DISK',
    machine: { ...enough, availableDisk: GIB },
    sentence: /^The stack needs about 2\.0 GiB of disk, but only 1\.0 GiB are free at [^\n]+\.$/,
  },
])('fetches and starts nothing on a machine with $code', async ({ code, machine, sentence }) => {
  const looked: string[] = [];
  const { stack, stateDir } = await stackOn(machine, async () => {
    looked.push('for programs');
    throw new Error('there are none');
  });

  await expect(stack.up()).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) });

  expect(looked).toEqual([]);
  await expectNothingStarted(stateDir);
});

it.each<[RuntimeErrorCode, string]>([
  ['NO_JAVA', 'No Java 17 or later was found: set JAVA_HOME.'],
  ['NO_MONGOD', 'No mongod was found: set MONGOD_BINARY.'],
])(
  'starts nothing where a program is missing (%s), and says which in one sentence',
  async (code, message) => {
    const { stack, stateDir } = await stackOn(enough, async () => {
      throw new RuntimeError(code, message);
    });

    await expect(stack.up()).rejects.toMatchObject({ name: 'RuntimeError', code, message });

    await expectNothingStarted(stateDir);
  },
);
