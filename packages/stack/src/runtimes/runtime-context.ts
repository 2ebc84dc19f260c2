import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from './cache-dir.js';
import { ProbeMemory } from './probe-memory.js';
import { RuntimeCache } from './runtime-cache.js';

export interface ResolveOptions {
  /** Environment to look into (JAVA_HOME, PATH, MONGOD_BINARY, XDG_CACHE_HOME). Default: the process's own. */
  env?: NodeJS.ProcessEnv;
  /** Folders whose children are Java installations. Default: the system's usual ones. */
  javaFolders?: string[];
  /** The repository's `infra` folder, where the pins are. */
  infraDir?: string;
  /** Ends what is being fetched. */
  signal?: AbortSignal;
}

/** What every runtime needs to look around and to fetch. */
export interface RuntimeContext {
  env: NodeJS.ProcessEnv;
  infraDir: string;
  javaFolders: string[] | undefined;
  signal: AbortSignal;
  cache: RuntimeCache;
  probes: ProbeMemory;
  report(line: string): void;
}

export function createContext(
  report: (line: string) => void,
  options: ResolveOptions,
  signal: AbortSignal,
): RuntimeContext {
  const env = options.env ?? process.env;
  const root = resolve(cacheDir(env, process.platform));
  return {
    env,
    infraDir: options.infraDir ?? defaultInfraDir(),
    javaFolders: options.javaFolders,
    signal,
    cache: new RuntimeCache(root, report, signal),
    probes: new ProbeMemory(root),
    report,
  };
}

/** A short name for a file's content, so that a changed pin is another cache entry. */
export function pinKey(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
}

/** Programs differ by system, and a home folder may be shared by several. */
export const systemKey = `${process.platform}-${process.arch}`;

function defaultInfraDir(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return join(here, '..', '..', '..', '..', 'infra');
}
