import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Log } from '@millrace/messaging';
import { GUARD_PATIENCE } from './patience.js';

const ENTRY = fileURLToPath(new URL('../guard.js', import.meta.url));
const AGAIN_MS = 5_000;
const ENDS_WITHIN_MS = 1_000;

/** A MongoDB database in which this process opens transactions. */
export interface GuardedDatabase {
  readonly url: string;
  /** By which its connections are known there: of each pair. */
  readonly appNames: readonly string[];
}

/**
 * A small process beside this one, which ends the transactions that this one leaves open in MongoDB when it is killed
 * or stopped: an application's plain update would wait for them until MongoDB ends them itself, a minute unless told
 * otherwise. Another instance does the same; this is for one that is alone.
 *
 * Its standard input tells it that this process lives: first what to guard, then a line at every heartbeat.
 */
export class TransactionGuard {
  #child: ChildProcess | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly databases: readonly GuardedDatabase[],
    private readonly log: Log,
    private readonly entry = ENTRY,
  ) {}

  /** Of the process beside this one; undefined where none could be started. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.databases.length === 0) return;
    this.#open();
    this.#heartbeat = setInterval(() => this.#tell('\n'), GUARD_PATIENCE.heartbeatMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#again);
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
    this.#tell('end\n');
    await ended;
    clearTimeout(late);
  }

  #open(): void {
    try {
      this.#spawn();
    } catch (err) {
      this.#openLater('cannot start', { err }); // as where memory is short
    }
  }

  #openLater(what: string, fields: object): void {
    if (this.#closed) return;
    this.log.warn(`the guard of transactions ${what}, and is started again`, fields);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), AGAIN_MS);
  }

  /** In a group of its own, so that what ends this process by its group does not end it too. */
  #spawn(): void {
    const child = spawn(process.execPath, ['--max-old-space-size=48', this.entry], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    this.#child = child;
    child.stdin?.on('error', () => undefined); // it has ended: `exit` tells
    // Node does not tell the end of what it could not start.
    child.once('error', (err) => this.#openLater('cannot start', { err }));
    child.once('exit', (code, signal) => this.#openLater('has ended', { code, signal }));
    // By its input, not by its environment or arguments, which others can see: a URL holds a password.
    this.#tell(`${JSON.stringify(this.databases)}\n`);
  }

  #tell(line: string): void {
    if (this.#child?.stdin?.writable) this.#child.stdin.write(line);
  }
}
