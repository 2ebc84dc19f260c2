import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the benchmarks use of a running stack. */
export interface RunningStack {
  readonly kafka: { readonly bootstrapServers: readonly string[] };
  readonly registry: { readonly url: string };
  readonly connect: { readonly url: string };
  readonly databases: { readonly postgresAdmin: string; readonly mongoAdmin: string };
}

/** The stack that `MILLRACE_STACK_FILE` names, or else this checkout's; undefined where none was started. */
export async function runningStack(): Promise<RunningStack | undefined> {
  const file = process.env.MILLRACE_STACK_FILE ?? join(import.meta.dirname, '../../.millrace/stack.json');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as RunningStack;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
