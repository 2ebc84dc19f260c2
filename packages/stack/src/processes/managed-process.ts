import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from '../stack.error.js';
import { childEnvironment } from './child-environment.js';
import { logHint } from './log-tail.js';
import { isAlive, type ProcessIdentity } from './process-identity.js';
import { type ProcessRecords, RECORD_AND_EXEC } from './process-record.js';

export interface ProcessDefinition {
  readonly name: string;
  /** What to run; asked only when it is to be started. */
  readonly command: (signal: AbortSignal) => Promise<Command>;
  /** Absolute path of the file that takes its output. */
  readonly log: string;
  /** What asks it to end in order. */
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take before SIGKILL, in milliseconds. */
  readonly stopTimeoutMs: number;
}

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const KEEP_LOG_BYTES = 8 * 1024 * 1024;
const RECORDED_WITHIN_MS = 10_000;
const GONE_AFTER_KILL_MS = 15_000;
const POLL_MS = 20;

/** A process that outlives the command that starts it: on record by pid and start time, its output in a log file. */
export class ManagedProcess {
  private child: ChildProcess | undefined;

  constructor(
    readonly definition: ProcessDefinition,
    private readonly records: ProcessRecords,
  ) {}

  running(): Promise<ProcessIdentity | undefined> {
    return this.records.running(this.definition.name);
  }

  /** Starts it unless it runs. Its own session: Ctrl-C in the caller's terminal does not reach it. */
  async start(signal: AbortSignal): Promise<'started' | 'running'> {
    if (await this.running()) return 'running';
    const { name, log } = this.definition;
    const { argv, env, cwd } = await this.definition.command(signal);
    signal.throwIfAborted();
    await this.records.forget(name);
    const output = await openLog(log);
    try {
      const child = spawn('/bin/sh', ['-c', RECORD_AND_EXEC, 'sh', this.records.fileOf(name), ...argv], {
        env: childEnvironment(env),
        ...(cwd && { cwd }),
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      child.unref();
      this.child = child;
      await this.untilRecorded(child);
    } finally {
      await output.close();
    }
    return 'started';
  }

  /** How the process that this object started has ended: exit code or signal; undefined while it runs. */
  outcome(): number | NodeJS.Signals | undefined {
    return this.child?.exitCode ?? this.child?.signalCode ?? undefined;
  }

  /** @throws StackError START_FAILED with the end of the log where the process is gone. */
  async assertRunning(): Promise<void> {
    if (await this.running()) return;
    const { name, log } = this.definition;
    throw new StackError('START_FAILED', `${name} has ended. ${await logHint(log)}`);
  }

  /** Asks it to end, insists after the timeout, and returns once it is gone. */
  async stop(): Promise<void> {
    const { name, stopSignal, stopTimeoutMs } = this.definition;
    const identity = await this.running();
    if (identity) {
      sendSignal(identity, stopSignal);
      // One that was halted by SIGSTOP would not hear it.
      sendSignal(identity, 'SIGCONT');
      if (!(await gone(identity, stopTimeoutMs))) await killAndWait(name, identity);
    }
    await this.records.forget(name);
  }

  /**
   * Sends a signal to just this process; after SIGKILL returns once it is gone.
   * @throws StackError NOT_RUNNING, or STOP_FAILED where SIGKILL had no effect.
   */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const identity = await this.running();
    if (!identity) throw new StackError('NOT_RUNNING', `${this.definition.name} is not running.`);
    if (signal === 'SIGKILL') await killAndWait(this.definition.name, identity);
    else sendSignal(identity, signal);
  }

  private async untilRecorded(child: ChildProcess): Promise<void> {
    const failed = once(child, 'error').then(([error]) => {
      throw error;
    });
    failed.catch(() => {});
    const deadline = performance.now() + RECORDED_WITHIN_MS;
    while (!(await this.running()) && child.exitCode === null && performance.now() < deadline) {
      await Promise.race([sleep(POLL_MS), failed]);
    }
  }
}

/** The log of this run; a long one of earlier runs is kept once as `.previous`. */
const openLog = async (file: string) => {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size > KEEP_LOG_BYTES) await rename(file, `${file}.previous`);
  return open(file, 'a', 0o600);
};

const sendSignal = (identity: ProcessIdentity, signal: NodeJS.Signals): void => {
  try {
    if (isAlive(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const killAndWait = async (name: string, identity: ProcessIdentity): Promise<void> => {
  sendSignal(identity, 'SIGKILL');
  if (await gone(identity, GONE_AFTER_KILL_MS)) return;
  throw new StackError('STOP_FAILED', `Process ${identity.pid} (${name}) outlived SIGKILL.`);
};

const gone = async (identity: ProcessIdentity, withinMs: number): Promise<boolean> => {
  const deadline = performance.now() + withinMs;
  while (isAlive(identity)) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
};
