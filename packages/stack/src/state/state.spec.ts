import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withCommandLock } from './command-lock.js';
import { readJsonFile, writeJsonFile } from './json-file.js';
import { StateFolder } from './state-folder.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'state-'));
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it('writes files that only their owner may read, and leaves nothing beside them', async () => {
  const file = join(folder, 'stack.json');
  await writeJsonFile(file, { a: 1 });
  await writeJsonFile(file, { a: 2 });
  expect(await modeOf(file)).toBe('600');
  expect(await readJsonFile(file)).toEqual({ a: 2 });
  expect(await readdir(folder)).toEqual(['stack.json']);
});

it('keeps a file whole that several write at the same time', async () => {
  const file = join(folder, 'stack.json');
  await Promise.all(Array.from({ length: 20 }, (_, i) => writeJsonFile(file, { i })));
  expect(await readJsonFile(file)).toEqual({ i: expect.any(Number) });
  expect(await readdir(folder)).toEqual(['stack.json']);
});

it('makes folders that only their owner may enter', async () => {
  const state = new StateFolder(join(folder, 'state'));
  await state.create();
  for (const path of [state.path, state.data, state.logs, state.records])
    expect(await modeOf(path)).toBe('700');
});

it('lets one command at a time change a stack, and names the other', async () => {
  const lock = join(folder, 'lock');
  await withCommandLock(lock, async () => {
    const second = withCommandLock(lock, async () => 'unreachable');
    await expect(second).rejects.toThrow(`process ${process.pid}`);
  });
  expect(await withCommandLock(lock, async () => 'free again')).toBe('free again');
  expect(await readdir(folder)).toEqual([]);
});

it('is free again after a command that failed', async () => {
  const lock = join(folder, 'lock');
  await expect(withCommandLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withCommandLock(lock, async () => 'free')).toBe('free');
});

it('does not wait for a command that was killed, also when its pid lives on in another process', async () => {
  const lock = join(folder, 'lock');
  await writeFile(lock, JSON.stringify({ pid: process.pid, started: 'an earlier start' }));
  expect(await withCommandLock(lock, () => readFile(lock, 'utf8'))).toContain(String(process.pid));
});
