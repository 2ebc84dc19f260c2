import { lstatSync, readFileSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

const NAME = '.manifest.json';

type Manifest = Record<string, number>;

/** Writes down every file of a finished folder with its size in bytes. */
export async function writeManifest(folder: string): Promise<void> {
  const manifest: Manifest = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    manifest[relative(folder, path)] = (await stat(path)).size;
  }
  await writeFile(join(folder, NAME), JSON.stringify(manifest));
}

/**
 * True when every file that was written down is still there at its full size. A rename is atomic, what
 * a power cut leaves of the files behind it is not: this finds those, and files that someone cut short.
 */
export function matchesManifest(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as Manifest;
    return Object.entries(manifest).every(([path, size]) => lstatSync(join(folder, path)).size === size);
  } catch {
    return false;
  }
}
