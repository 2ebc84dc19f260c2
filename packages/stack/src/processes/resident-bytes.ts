import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Resident memory of one process in bytes (RSS); 0 when it is gone. */
export const residentBytes = async (pid: number): Promise<number> => {
  if (process.platform === 'linux')
    return kilobytes(await read(`/proc/${pid}/status`), /^VmRSS:\s+(\d+) kB/m);
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: 5_000 }).catch(() => ({
    stdout: '0',
  }));
  return Number(stdout.trim()) * 1024;
};

/**
 * Resident memory of a process and its children, pages that they share counted once (PSS): Postgres' backends
 * all map the same buffers. Falls back to the parent's RSS where the kernel does not tell.
 */
export const proportionalBytes = async (pid: number): Promise<number> => {
  const family = [pid, ...(await childrenOf(pid))];
  const each = await Promise.all(
    family.map(async (member) => kilobytes(await read(`/proc/${member}/smaps_rollup`), /^Pss:\s+(\d+) kB/m)),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0) || residentBytes(pid);
};

const run = promisify(execFile);

const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

const kilobytes = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0) * 1024;

const childrenOf = async (pid: number): Promise<number[]> => {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(tasks.map((task) => read(`/proc/${pid}/task/${task}/children`)));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
};
