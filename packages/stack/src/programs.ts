import { join } from 'node:path';
import { cacheDir } from './runtimes/cache-dir.js';
import { type Runtimes, resolveRuntimes } from './runtimes/index.js';
import type { OnProgress } from './tree/start-tree.js';

export type FindRuntimes = (note: (line: string) => void, signal: AbortSignal) => Promise<Runtimes>;

/** Where JVMs keep class-data archives: once per user, like the programs. */
export const archiveFolder = (): string => join(cacheDir(process.env, process.platform), 'class-data');

/** The programs that the stack runs, found or fetched once, when they are first needed. */
export class Programs {
  static readonly NAME = 'programs';
  private found: Promise<Runtimes> | undefined;

  constructor(
    private readonly onProgress: OnProgress,
    private readonly findRuntimes: FindRuntimes = (note, signal) => resolveRuntimes(note, { signal }),
  ) {}

  get(signal: AbortSignal = new AbortController().signal): Promise<Runtimes> {
    this.found ??= this.find(signal);
    return this.found;
  }

  private async find(signal: AbortSignal): Promise<Runtimes> {
    const name = Programs.NAME;
    const begin = performance.now();
    const ms = () => performance.now() - begin;
    this.onProgress({ name, state: 'starting' });
    try {
      const runtimes = await this.findRuntimes(
        (text) => this.onProgress({ name, state: 'note', text }),
        signal,
      );
      this.onProgress({ name, state: 'ready', ms: ms(), started: true });
      return runtimes;
    } catch (error) {
      this.onProgress(
        signal.aborted ? { name, state: 'abandoned', ms: ms() } : { name, state: 'failed', ms: ms(), error },
      );
      throw error;
    }
  }
}
