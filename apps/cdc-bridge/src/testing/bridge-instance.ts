import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const STARTS_WITHIN_MS = 180_000;
/** What is kept of the output, for the message of a test that fails. */
const KEPT_CHARACTERS = 1_000_000;

/** The bridge as a process of its own. Disposing kills it. */
export class BridgeInstance implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';
  #url = '';

  private constructor(env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, ['--max-old-space-size=256', MAIN], {
      env: { ...env, HOST: '127.0.0.1', PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_CHARACTERS);
      });
    }
    this.#ended = once(this.#child, 'close');
  }

  /** Resolves when it listens. @throws Error with its output where it ends before */
  static async start(env: NodeJS.ProcessEnv): Promise<BridgeInstance> {
    const instance = new BridgeInstance(env);
    const late = AbortSignal.timeout(STARTS_WITHIN_MS);
    while (!instance.lines('listening')[0]) {
      const goesOn = await Promise.race([
        instance.#ended.then(() => false),
        once(instance.#child.stdout as NodeJS.EventEmitter, 'data', { signal: late }).then(() => true),
      ]);
      if (!goesOn && !instance.lines('listening')[0])
        throw new Error(`the bridge ended before it listened: ${instance.output}`);
    }
    instance.#url = String(instance.lines('listening')[0]?.url);
    return instance;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get output(): string {
    return this.#output;
  }

  /** The log's entries; with `message`, those that say so. */
  lines(message?: string): Record<string, unknown>[] {
    const entries = this.#output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return message === undefined ? entries : entries.filter(({ msg }) => msg === message);
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** SIGTERM; resolves with its exit code when it has finished what was in hand. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Stands still without ending, until `thaw`. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
