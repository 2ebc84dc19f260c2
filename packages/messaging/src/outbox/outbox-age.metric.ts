import { Gauge, register } from 'prom-client';
import { settlesWithin } from '../settles-within.js';
import type { OutboxStore } from './outbox-store.js';

const NAME = 'millrace_outbox_age_seconds';
const TIMEOUT_MS = 1_000;
const AT_MOST_EVERY_MS = 1_000;

/**
 * The gauge `millrace_outbox_age_seconds`: the age of the oldest outbox row that was not read back from the log; 0
 * when there is none. Asked at a scrape, at most once a second; NaN when the database does not answer in time.
 */
export function outboxAgeMetric(store: OutboxStore): void {
  let sampledAt = Number.NEGATIVE_INFINITY;
  register.removeSingleMetric(NAME);
  new Gauge({
    name: NAME,
    help: 'Age of the oldest outbox row that the connector has not confirmed; 0 when there is none.',
    async collect() {
      const now = Date.now();
      if (now - sampledAt < AT_MOST_EVERY_MS) return;
      sampledAt = now;
      this.set(await ageSeconds(store));
    },
  });
}

async function ageSeconds(store: OutboxStore): Promise<number> {
  const oldest = store.oldest();
  if (!(await settlesWithin(oldest, TIMEOUT_MS))) return Number.NaN;
  try {
    const since = await oldest;
    return since === null ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1_000);
  } catch {
    return Number.NaN;
  }
}
