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

const SHOWN_LINES = 10;
const SHOWN_FAULTS = 4;
// Words of Java's and Postgres' logs, and of mongod's JSON.
const FAULT = /\b(ERROR|FATAL|PANIC)\b|Exception\b|"s":"[EF]"/;

/** Where to read on, and what stands there: the last faults, which shutting down often pushes up, and the end. */
export const logHint = async (log: string): Promise<string> => {
  const lines = await tailOf(log, Number.POSITIVE_INFINITY);
  if (lines.length === 0) return `Its log ${log} is empty.`;
  const end = lines.slice(-SHOWN_LINES);
  const faults = lines
    .slice(0, -SHOWN_LINES)
    .filter((line) => FAULT.test(line))
    .slice(-SHOWN_FAULTS);
  const shown = [...faults, ...(faults.length > 0 ? ['…'] : []), ...end];
  return `Read ${log}, which ends:\n${shown.map((line) => `  | ${line.slice(0, 300)}`).join('\n')}`;
};
