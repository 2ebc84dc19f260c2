import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 50;

/** No number: of a count, 0 would be a yes. */
type Answer = boolean | bigint | string | object | null | undefined;

/**
 * Asks until the answer is yes: anything but `false`, `null` and `undefined`; a check that throws has not said yes.
 *
 * @param what completes "waited for …"
 * @returns what the check answered
 * @throws Error with the last failure as its cause when the time is over, also where a check never settles
 */
export async function eventually<T extends Answer>(
  what: string,
  timeoutMs: number,
  check: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  do {
    const settled = new AbortController();
    const timeUp = sleep(Math.max(0, deadline - performance.now()), undefined, { signal: settled.signal });
    timeUp.catch(() => undefined);
    try {
      const answer = await Promise.race([check(), timeUp]);
      if (answer !== false && answer !== null && answer !== undefined)
        return answer as unknown as Exclude<T, false | null | undefined>;
      failure = undefined;
    } catch (error) {
      failure = error;
    } finally {
      settled.abort();
    }
    await sleep(EVERY_MS);
  } while (performance.now() < deadline);
  const last = failure instanceof Error ? `: ${failure.message}` : '';
  throw new Error(`waited ${timeoutMs} ms for ${what}${last}`, { cause: failure });
}
