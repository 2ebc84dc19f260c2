import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../project.js';

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** `millrace stack …` as a user runs it, on a state folder of the test's own. */
export class StackCommand {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  private output = '';

  constructor(stateDir: string, ...args: string[]) {
    this.child = spawn(
      process.execPath,
      [join(PROJECT_ROOT, 'packages/cli/bin/millrace.js'), 'stack', ...args],
      {
        env: { ...process.env, MILLRACE_STATE_DIR: stateDir },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk;
      });
    }
    this.outcome = once(this.child, 'close').then(([code]) => ({ code, output: this.output }));
  }
}
