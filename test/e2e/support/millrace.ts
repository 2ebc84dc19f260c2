import { execa } from 'execa';
import { root } from './root.js';

/** A command as `npx pnpm millrace …` runs it, on the stack in `stateDir`. */
export const millrace = (stateDir: string, ...args: string[]) =>
  execa('node', ['packages/cli/bin/millrace.js', ...args], {
    cwd: root,
    env: { MILLRACE_STATE_DIR: stateDir, NODE_ENV: 'production' },
    reject: false,
    all: true,
    timeout: 240_000,
  });
