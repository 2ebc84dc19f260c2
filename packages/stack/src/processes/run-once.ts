import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { StackError } from '../stack.error.js';
import { childEnvironment } from './child-environment.js';
import { logHint } from './log-tail.js';
import type { Command } from './managed-process.js';

export interface RunOptions extends Command {
  /** What it is, for the error. */
  readonly name: string;
  readonly log: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs a command to its end, its output in a log file of its own.
 * @throws StackError START_FAILED with the end of the log when it fails or does not end in time.
 */
export const runOnce = async (options: RunOptions): Promise<void> => {
  const { name, argv, env, cwd, log, timeoutMs, signal } = options;
  signal.throwIfAborted();
  const output = await open(log, 'w', 0o600);
  try {
    const timeout = AbortSignal.timeout(timeoutMs);
    const [program, ...args] = argv;
    const child = spawn(program, args, {
      env: childEnvironment(env),
      ...(cwd && { cwd }),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
      signal: AbortSignal.any([signal, timeout]),
      killSignal: 'SIGKILL',
    });
    const exit = await once(child, 'exit').catch((error: unknown) => error);
    signal.throwIfAborted();
    if (Array.isArray(exit) && exit[0] === 0) return;
    const how = timeout.aborted ? `did not end within ${timeoutMs / 1000} s` : describe(exit);
    throw new StackError('START_FAILED', `${name} ${how}. ${await logHint(log)}`);
  } finally {
    await output.close();
  }
};

const describe = (exit: unknown): string => {
  if (!Array.isArray(exit)) return `could not be run: ${exit instanceof Error ? exit.message : String(exit)}`;
  return exit[0] === null ? `was ended by ${exit[1]}` : `failed with exit code ${exit[0]}`;
};
