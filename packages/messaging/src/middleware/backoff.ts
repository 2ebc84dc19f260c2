export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The pause after a failed attempt: doubled each time up to a bound, less up to a quarter by chance, so that
 * consumers that failed together do not come back together.
 *
 * @param attempt how many have failed so far, from 1
 */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random = Math.random): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(full * (1 - random() / 4));
}
