import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Where Postgres lives and what its programs are run behind: it refuses to run as root. */
export interface PostgresHome {
  readonly prefix: readonly string[];
  readonly bin: string;
  readonly data: string;
  /** User id that must own the data, where it is not the caller's. */
  readonly owner?: number;
}

const NOBODY = 65_534;
const AS_USER = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

export type Privileges = 'ordinary' | 'root' | 'root without namespaces';

/** How this process is to run Postgres. */
export const privileges = async (): Promise<Privileges> => {
  if (process.getuid?.() !== 0) return 'ordinary';
  return (await runs([...AS_USER, 'true'])) ? 'root' : 'root without namespaces';
};

/**
 * Root runs Postgres in a user namespace, where it is an ordinary user to itself and root to the file system, so
 * that it works in folders that only root may enter. Where namespaces are forbidden, it runs as nobody, on a copy
 * of the runtime and with its data in a folder that everyone may enter.
 */
export const postgresHome = async (bin: string, data: string): Promise<PostgresHome> => {
  switch (await privileges()) {
    case 'ordinary':
      return { prefix: [], bin, data };
    case 'root':
      return { prefix: AS_USER, bin, data };
    case 'root without namespaces':
      return { prefix: AS_NOBODY, ...(await enterableHome(bin, data)) };
  }
};

/** The folder that stands in for `data` where nobody else could enter it. */
export const enterableFolder = (data: string): string =>
  join('/var/tmp', `millrace-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`);

const enterableHome = async (bin: string, data: string): Promise<Omit<PostgresHome, 'prefix'>> => {
  const folder = enterableFolder(data);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const runtime = join(folder, 'runtime');
  if (!(await stat(runtime).catch(() => undefined))) {
    await rm(`${runtime}.new`, { recursive: true, force: true });
    await cp(dirname(bin), `${runtime}.new`, { recursive: true, verbatimSymlinks: true });
    await rename(`${runtime}.new`, runtime);
  }
  return { bin: join(runtime, 'bin'), data: join(folder, 'data'), owner: NOBODY };
};

const run = promisify(execFile);

const runs = ([program = '', ...args]: readonly string[]): Promise<boolean> =>
  run(program, args, { timeout: 5_000 }).then(
    () => true,
    () => false,
  );
