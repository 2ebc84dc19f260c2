import { access, chown, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { infraFile, type NativeContext } from '../native-context.js';
import { identify } from '../processes/process-identity.js';
import { runOnce } from '../processes/run-once.js';
import { required } from '../settings/stack-env.js';
import type { PostgresHome } from './unprivileged.js';

// Written last: a folder without it is what an interrupted initdb left.
const COMPLETE = 'millrace-initialised';

/** Makes the database cluster unless it is there, and gives it the settings of `infra/postgres`. */
export const prepareDataFolder = async (
  context: NativeContext,
  home: PostgresHome,
  signal: AbortSignal,
): Promise<void> => {
  const complete = join(home.data, COMPLETE);
  if (
    !(await access(complete).then(
      () => true,
      () => false,
    ))
  ) {
    await initialise(context, home, signal);
    await writeFile(complete, '');
  }
  await copyFile(infraFile(context, 'postgres', 'postgresql.conf'), join(home.data, 'postgresql.conf'));
  await releaseStaleLock(home.data);
};

const initialise = async (context: NativeContext, home: PostgresHome, signal: AbortSignal): Promise<void> => {
  const { env, state } = context;
  const password = `${home.data}.password`;
  await rm(home.data, { recursive: true, force: true });
  await mkdir(home.data, { recursive: true, mode: 0o700 });
  await writeFile(password, required(env, 'POSTGRES_PASSWORD'), { mode: 0o600 });
  if (home.owner !== undefined) {
    for (const path of [home.data, password]) await chown(path, home.owner, home.owner);
  }
  const settings = ['-U', required(env, 'POSTGRES_USER'), `--pwfile=${password}`, '-A', 'scram-sha-256'];
  const initdb = [
    join(home.bin, 'initdb'),
    '-D',
    home.data,
    ...settings,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const name = 'postgres-initdb';
  const argv = [...home.prefix, ...initdb] as [string, ...string[]];
  const run = { name, log: state.log(name), argv, cwd: home.data, timeoutMs: 60_000 };
  try {
    await runOnce(context.records, run, signal);
  } finally {
    await rm(password, { force: true });
  }
};

// Above the largest pid of any kernel (Linux: 2^22).
const NOBODYS_PID = 4_194_305;

/**
 * After a crash, `postmaster.pid` can name a pid that belongs to something else by now, and Postgres would take
 * that for its own. Only the pid is replaced: by the rest of the file, Postgres still finds backends that live on.
 */
const releaseStaleLock = async (data: string): Promise<void> => {
  const file = join(data, 'postmaster.pid');
  const [pid, ...rest] = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (!pid || !identify(Number(pid))) return;
  const commandLine = await readFile(`/proc/${Number(pid)}/cmdline`, 'utf8').catch(() => undefined);
  if (commandLine === undefined || commandLine.includes(data)) return;
  await writeFile(file, [NOBODYS_PID, ...rest].join('\n'));
};
