import type { Delivery, Outcome } from '../delivery/delivery.js';

/**
 * A step around a record's handling. It calls `next` for the rest of the chain: once, again to retry, or not at all
 * when it has an outcome of its own. What it throws reaches the step before it.
 */
export type Middleware = (delivery: Delivery, next: () => Promise<Outcome>) => Promise<Outcome>;

export type Deliver = (delivery: Delivery) => Promise<Outcome>;

/** The first middleware is the outermost. */
export function chain(middlewares: readonly Middleware[], last: Deliver): Deliver {
  return middlewares.reduceRight<Deliver>(
    (next, middleware) => (delivery) => middleware(delivery, () => next(delivery)),
    last,
  );
}
