import type { Codec } from '../codec/index.js';
import type { Log } from '../log.js';
import type { EventHandler } from '../message-bus.js';
import type { Backoff } from '../middleware/backoff.js';
import { logging } from '../middleware/logging.middleware.js';
import { metrics } from '../middleware/metrics.middleware.js';
import { chain, type Deliver } from '../middleware/middleware.js';
import { retryInPlace } from '../middleware/retry.middleware.js';
import { tracing } from '../middleware/tracing.middleware.js';
import { dispatcher } from './dispatch.js';
import type { Faults } from './faults.js';

export interface RecordHandlingOptions {
  readonly codec: Codec;
  readonly handlers: readonly EventHandler[];
  readonly backoff: Backoff;
  readonly faults: Faults;
  readonly log: Log;
}

/** What every adapter does with a record. It resolves when the record is done, and rejects only when abandoned. */
export function recordHandling({ codec, handlers, ...options }: RecordHandlingOptions): Deliver {
  return chain([retryInPlace(options), tracing(), logging(options), metrics()], dispatcher(codec, handlers));
}
