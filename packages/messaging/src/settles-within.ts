import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a promise settles within a time. Its rejection is not reported. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    const settled = promise.then(
      () => true,
      () => true,
    );
    return await Promise.race([settled, sleep(ms, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
