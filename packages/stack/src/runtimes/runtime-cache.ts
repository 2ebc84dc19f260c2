import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { matchesManifest, writeManifest } from './manifest.js';
import { RuntimeError, reasonOf } from './runtime.error.js';

/** Longer than any fetch: a lock whose owner died is given up by its age long before. */
const LOCK_PATIENCE_MS = 30 * 60_000;

export interface CacheEntry {
  /** Folder name; holds the pins, so that a changed pin is another entry. */
  name: string;
  /** What is fetched, for people. */
  title: string;
  /** Room that fetching takes at its widest, in megabytes. */
  megabytes: number;
  /** Fills the empty folder; it becomes the entry only when this has returned. */
  fill(folder: string): Promise<void>;
}

/**
 * Folders of fetched programs, shared by all checkouts of a user.
 *
 * An entry is filled in a temporary folder beside it and becomes visible by one rename, so what a killed
 * process leaves behind is never used. Of several processes one fetches and the others wait; the lock
 * only saves work, correctness rests on the rename.
 */
export class RuntimeCache {
  constructor(
    readonly root: string,
    private readonly report: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** The entry's folder where it is there already and whole. */
  find(name: string): string | undefined {
    const folder = join(this.root, name);
    return existsSync(folder) && matchesManifest(folder) ? folder : undefined;
  }

  /**
   * The entry's folder, filled first where it is missing or damaged.
   * @throws RuntimeError NO_SPACE, CACHE_NOT_WRITABLE; and whatever `fill` throws.
   */
  async ensure(entry: CacheEntry): Promise<string> {
    const found = this.find(entry.name);
    if (found) return found;
    await this.makeRoot();
    const release = await this.lock(entry);
    try {
      return this.find(entry.name) ?? (await this.fetch(entry));
    } finally {
      await release();
    }
  }

  private async fetch(entry: CacheEntry): Promise<string> {
    const target = join(this.root, entry.name);
    await this.sweep(entry.name);
    if (existsSync(target)) {
      this.report(`${entry.title}: the copy in ${target} is damaged and is fetched again`);
      await rm(target, { recursive: true, force: true });
    }
    await this.checkSpace(entry);
    const temporary = await mkdtemp(join(this.root, temporaryPrefix(entry.name)));
    try {
      await entry.fill(temporary);
      this.signal.throwIfAborted();
      await writeManifest(temporary);
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      const found = this.find(entry.name);
      if (found) return found; // Another process was faster, its lock having looked abandoned to us or ours to it.
      throw error;
    }
    return target;
  }

  /** Whoever holds the lock may remove what earlier holders left half done. */
  private async sweep(name: string): Promise<void> {
    for (const left of await readdir(this.root)) {
      if (left.startsWith(temporaryPrefix(name)))
        await rm(join(this.root, left), { recursive: true, force: true });
    }
  }

  private async makeRoot(): Promise<void> {
    try {
      await mkdir(this.root, { recursive: true });
    } catch (error) {
      throw new RuntimeError(
        'CACHE_NOT_WRITABLE',
        `Cannot keep fetched programs in ${this.root} (${reasonOf(error)}): make it writable, or set XDG_CACHE_HOME to a folder that is.`,
        { cause: error },
      );
    }
  }

  private async checkSpace(entry: CacheEntry): Promise<void> {
    const { bavail, bsize } = await statfs(this.root);
    const free = Math.floor((bavail * bsize) / 1e6);
    if (free >= entry.megabytes) return;
    throw new RuntimeError(
      'NO_SPACE',
      `Fetching ${entry.title} takes ${entry.megabytes} MB and ${this.root} has ${free} MB free: make room there, or set XDG_CACHE_HOME to a larger disk.`,
    );
  }

  private async lock(entry: CacheEntry): Promise<() => Promise<void>> {
    const path = join(this.root, `.${entry.name}`);
    const deadline = Date.now() + LOCK_PATIENCE_MS;
    for (let attempt = 0; ; attempt++) {
      try {
        const options = { realpath: false, stale: 10_000, update: 2_000, onCompromised: () => {} };
        const release = await lockfile.lock(path, options);
        return () => release().catch(() => {});
      } catch (error) {
        if (!isLocked(error)) {
          throw new RuntimeError(
            'CACHE_NOT_WRITABLE',
            `Cannot write to ${this.root} (${reasonOf(error)}): make it writable, or set XDG_CACHE_HOME to a folder that is.`,
            { cause: error },
          );
        }
        if (Date.now() > deadline) {
          throw new RuntimeError(
            'FETCH_FAILED',
            `Another process has been fetching ${entry.title} for too long: end it, or remove ${path}.lock.`,
          );
        }
        if (attempt === 0)
          this.report(`${entry.title}: another process is fetching it, waiting for that one`);
        await delay(250, undefined, { signal: this.signal });
      }
    }
  }
}

function temporaryPrefix(name: string): string {
  return `.${name}.part-`;
}

function isLocked(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ELOCKED';
}
