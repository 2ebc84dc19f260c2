import { open } from 'node:fs/promises';

const TAIL_BYTES = 64 * 1024;

/** The last lines of a log file; none where there is no file. Reads 64 KiB at most. */
export const tailOf = async (file: string, lines: number): Promise<string[]> => {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8', 0, bytesRead).trimEnd();
    return text === '' ? [] : text.split('\n').slice(-lines);
  } finally {
    await handle.close();
  }
};

/** Where to read on, and what stands there last. */
export const logHint = async (log: string): Promise<string> => {
  const lines = await tailOf(log, 15);
  const shown = lines.map((line) => `  | ${line.slice(0, 300)}`).join('\n');
  return lines.length === 0 ? `Its log ${log} is empty.` : `Read ${log}, which ends:\n${shown}`;
};
