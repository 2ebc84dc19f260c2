import { setTimeout as sleep } from 'node:timers/promises';
import { AbandonedError, type Delivery, describePosition } from '../delivery/delivery.js';
import type { Faults } from '../delivery/faults.js';
import type { Log } from '../log.js';
import { type Backoff, backoffMs } from './backoff.js';
import type { Middleware } from './middleware.js';

/**
 * Tries a record until it is done, whatever was thrown: it is never skipped, and its partition waits. A fault stands
 * in `faults` from the first failed attempt to the first that succeeds.
 *
 * @throws AbandonedError when the partition is lost or the consumer stops
 */
export function retryInPlace(options: { backoff: Backoff; faults: Faults; log: Log }): Middleware {
  const { backoff, faults, log } = options;
  return async (delivery, next) => {
    const { record, signal, stopping } = delivery;
    for (let attempt = 1; ; attempt++) {
      if (stopping.aborted) throw abandoned(delivery, faults);
      try {
        const outcome = await next();
        if (attempt > 1) log.info(`recovered: ${describePosition(record)}`, { attempt });
        faults.clear(record);
        return outcome;
      } catch (error) {
        if (signal.aborted) throw abandoned(delivery, faults);
        faults.set(record, error);
        const pauseMs = backoffMs(backoff, attempt);
        log.error(`cannot handle ${describePosition(record)}: the partition waits`, {
          attempt,
          pauseMs,
          err: error,
        });
        await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
      }
    }
  };
}

function abandoned({ record }: Delivery, faults: Faults): AbandonedError {
  faults.clear(record);
  return new AbandonedError(record);
}
