import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createContext, type ResolveOptions, type RuntimeContext } from '../runtimes/runtime-context.js';

/** A machine with nothing on it: an empty cache, an empty path, no Java anywhere. For tests. */
export interface BareMachine {
  folder: string;
  env: NodeJS.ProcessEnv;
  /** What was reported so far. */
  lines: string[];
  context(options?: ResolveOptions): RuntimeContext;
  /** Puts a shell script at this path below the folder and returns its absolute path. */
  script(path: string, body: string): string;
}

export function bareMachine(): BareMachine {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-runtimes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const lines: string[] = [];
  const nowhere = 'http://127.0.0.1:9';
  const env = {
    PATH: bin,
    XDG_CACHE_HOME: join(folder, 'cache'),
    MONGOMS_DOWNLOAD_MIRROR: nowhere,
    MVNW_REPOURL: nowhere,
  };
  return {
    folder,
    env,
    lines,
    context: (options = {}) =>
      createContext(
        (line) => lines.push(line),
        { env, javaFolders: [], ...options },
        options.signal ?? new AbortController().signal,
      ),
    script(path, body) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `#!/bin/sh\n${body}\n`);
      chmodSync(file, 0o755);
      return file;
    },
  };
}
