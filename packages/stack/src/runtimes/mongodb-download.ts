import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { executable } from './executables.js';
import { reasonOf } from './runtime.error.js';
import type { RuntimeContext } from './runtime-context.js';

/** The newest of the series that compose runs. */
export const MONGODB_VERSION = '8.0.17';

const SITE = 'https://fastdl.mongodb.org';
const SITE_TIMEOUT_MS = 3_000;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

/**
 * Fetches `mongod` for this system from MongoDB's site (or `MONGOMS_DOWNLOAD_MIRROR`) into the folder,
 * checked against the checksum that is published beside it.
 */
export async function fetchFromMongoDb(context: RuntimeContext, folder: string): Promise<void> {
  await assertReachable(context);
  const { MongoBinary } = await import('mongodb-memory-server-core');
  const downloadDir = join(folder, '.download');
  await mkdir(downloadDir);
  // It may also answer with a copy that it keeps elsewhere: that one stays where it is.
  const options = { version: MONGODB_VERSION, downloadDir, checkMD5: true };
  const program = await Promise.race([MongoBinary.getPath(options), tooLong(context)]);
  await copyFile(program, join(folder, executable('mongod')));
  await rm(downloadDir, { recursive: true });
}

/** The downloader itself would try for long; whether there is a way at all shows at once. */
async function assertReachable(context: RuntimeContext): Promise<void> {
  const site = context.env.MONGOMS_DOWNLOAD_MIRROR ?? SITE;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(SITE_TIMEOUT_MS)]);
  try {
    await fetch(site, { method: 'HEAD', signal });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    throw new Error(`${new URL(site).host} cannot be reached: ${reasonOf(cause)}`, { cause: error });
  }
}

/** The downloader has no limit of its own and cannot be told to stop. */
function tooLong(context: RuntimeContext): Promise<never> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]);
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
