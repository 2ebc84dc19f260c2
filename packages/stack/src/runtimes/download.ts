import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError, reasonOf } from './runtime.error.js';

const ATTEMPTS = 3;
const TIMEOUT_MS = 5 * 60_000;

/**
 * Fetches a file whose SHA-512 (hex) is known. A transfer that was cut or altered is tried again.
 * @throws RuntimeError FETCH_FAILED when the third attempt fails.
 */
export async function download(
  url: string,
  sha512: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptDownload(
        url,
        sha512,
        file,
        AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === ATTEMPTS) {
        throw new RuntimeError('FETCH_FAILED', `Cannot fetch ${url}: ${describe(error)}.`, { cause: error });
      }
      await delay(500 * attempt, undefined, { signal });
    }
  }
}

async function attemptDownload(
  url: string,
  sha512: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const hash = createHash('sha512');
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  await pipeline(body, count, createWriteStream(file), { signal });
  if (hash.digest('hex') !== sha512) throw new Error('it came incomplete or altered (its SHA-512 differs)');
}

/** fetch() hides the network's own words in `cause`. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause ? `${reasonOf(error)} (${reasonOf(cause)})` : reasonOf(error);
}
