import { Counter, Gauge, Histogram, type Metric, register } from 'prom-client';

/** This package's metrics, on prom-client's default register. Labels are bounded: topics, partitions and contracts. */

/** Two consumers of a process share them, and a test may load this module twice. */
function once<M extends Metric>(name: string, make: () => M): M {
  return (register.getSingleMetric(name) as M | undefined) ?? make();
}

export const recordsTotal = once(
  'millrace_consumer_records_total',
  () =>
    new Counter({
      name: 'millrace_consumer_records_total',
      help: 'Records by where they ended: handled, tombstone or not-subscribed (passed over), or failed (one attempt).',
      labelNames: ['group', 'topic', 'outcome'],
    }),
);

export const handlingSeconds = once(
  'millrace_consumer_handling_seconds',
  () =>
    new Histogram({
      name: 'millrace_consumer_handling_seconds',
      help: 'Time from a record in hand to its handler having resolved, for one successful attempt.',
      labelNames: ['group', 'topic', 'type'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    }),
);

export const consumerLag = once(
  'millrace_consumer_lag',
  () =>
    new Gauge({
      name: 'millrace_consumer_lag',
      help: 'Records of an assigned partition that are not handled yet, as last sampled.',
      labelNames: ['group', 'topic', 'partition'],
    }),
);
