import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from '../stack.error.js';
import { logHint } from './log-tail.js';
import { type Command, ManagedProcess } from './managed-process.js';
import type { ProcessRecords } from './process-record.js';

export interface RunOptions extends Command {
  /** Name of its record and its log. */
  readonly name: string;
  readonly log: string;
  readonly timeoutMs: number;
}

const POLL_MS = 25;

/**
 * Runs a command to its end, on record like every other process: a run that an earlier, killed command left behind
 * is ended first. When the signal aborts, the run is ended too.
 * @throws StackError START_FAILED with the end of the log when it fails or does not end in time.
 */
export const runOnce = async (
  records: ProcessRecords,
  options: RunOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { name, log, timeoutMs } = options;
  const process = new ManagedProcess(
    { name, log, command: async () => options, stopSignal: 'SIGKILL', stopTimeoutMs: 0 },
    records,
  );
  await process.stop();
  await process.start(signal);
  const deadline = performance.now() + timeoutMs;
  try {
    while (process.outcome() === undefined) {
      if (performance.now() >= deadline)
        throw await failure(options, `did not end within ${timeoutMs / 1000} s`);
      await sleep(POLL_MS, undefined, { signal });
    }
    if (process.outcome() !== 0) throw await failure(options, `failed (${process.outcome()})`);
  } finally {
    await process.stop();
  }
};

const failure = async ({ name, log }: RunOptions, how: string): Promise<StackError> =>
  new StackError('START_FAILED', `${name} ${how}. ${await logHint(log)}`);
