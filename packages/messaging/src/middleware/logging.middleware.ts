import { describePosition } from '../delivery/delivery.js';
import type { Log } from '../log.js';
import type { Middleware } from './middleware.js';

/** One line for each handled record, within its span: a trace id found in one service's log leads to the next. */
export function logging({ log }: { readonly log: Log }): Middleware {
  return async ({ record }, next) => {
    const begun = performance.now();
    const outcome = await next();
    if (outcome.kind === 'handled') {
      const ms = Math.round(performance.now() - begun);
      log.info(`handled ${outcome.type} ${describePosition(record)}`, { eventId: record.headers.id, ms });
    }
    return outcome;
  };
}
