import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { tinyEnvironment } from './start-tiny-service.js';

const main = fileURLToPath(new URL('../../dist/spec-support/tiny-service.main.js', import.meta.url));

/** The tiny service as a process of its own; `await using` ends it whatever the test does. */
export class TinyServiceProcess implements AsyncDisposable {
  output = '';
  errors = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #over = false;

  constructor(env: Record<string, string | undefined> = {}) {
    this.#child = spawn(process.execPath, [main], { env: { ...process.env, ...tinyEnvironment, ...env } });
    this.#child.stdout?.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => (this.errors += text));
    this.#ended = once(this.#child, 'close').then(([code]) => {
      this.#over = true;
      return code;
    });
  }

  /** Base URL, once it listens. */
  async url(): Promise<string> {
    return (await this.line('listening')).url as string;
  }

  /** The first log line with this message, once it is there. */
  async line(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines().find(({ msg }) => msg === message);
      if (found) {
        return found;
      }
      if (this.#over) {
        throw new Error(`the service ended without saying "${message}": ${this.output}${this.errors}`);
      }
      await Promise.race([this.#ended, once(this.#child.stdout as NodeJS.ReadableStream, 'data')]);
    }
  }

  lines(): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Exit code, once it has ended. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
