import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, StackError } from '../stack.error.js';
import type { Resource } from './resource.js';

const POLL_MS = 100;

/**
 * Waits until the resource says that it is healthy.
 * @throws StackError START_FAILED with the last reason, once `healthTimeoutMs` is over; a StackError that the
 * check itself throws (the process is gone) ends the wait at once.
 */
export const passHealthGate = async (target: Resource, signal: AbortSignal): Promise<void> => {
  const deadline = performance.now() + target.healthTimeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const refusal = await target.healthy(signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (!refusal) return;
    if (refusal.error instanceof StackError) throw refusal.error;
    if (performance.now() >= deadline) {
      const seconds = target.healthTimeoutMs / 1000;
      throw await startFailure(target, `was not ready within ${seconds} s`, refusal.error);
    }
    await sleep(POLL_MS, undefined, { signal });
  }
};

/** The error that says which resource failed, why, and where to read on. */
export const startFailure = async (
  { name, hint }: Resource,
  how: string,
  cause: unknown,
): Promise<StackError> => {
  const where = hint ? `. ${await hint()}` : '';
  return new StackError('START_FAILED', `${name} ${how}: ${reasonOf(cause)}${where}`, { cause });
};
