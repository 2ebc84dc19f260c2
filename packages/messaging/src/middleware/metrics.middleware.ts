import { handlingSeconds, recordsTotal } from '../metrics.js';
import type { Middleware } from './middleware.js';

/** Counts every attempt by its outcome, and times those that reached a handler. */
export function metrics(): Middleware {
  return async ({ record: { topic }, group }, next) => {
    const begun = performance.now();
    try {
      const outcome = await next();
      const handled = outcome.kind === 'handled';
      recordsTotal.inc({ group, topic, outcome: handled ? 'handled' : outcome.why });
      if (handled)
        handlingSeconds.observe({ group, topic, type: outcome.type }, (performance.now() - begun) / 1_000);
      return outcome;
    } catch (error) {
      recordsTotal.inc({ group, topic, outcome: 'failed' });
      throw error;
    }
  };
}
