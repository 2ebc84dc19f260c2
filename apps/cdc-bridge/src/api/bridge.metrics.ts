import { Counter, Gauge, type Registry } from 'prom-client';
import type { Bridge } from '../runner/bridge.js';
import type { PipelineStatus } from '../runner/pipeline.service.js';

type Value = (status: PipelineStatus) => number | null;

const GAUGES: readonly (readonly [name: string, help: string, value: Value])[] = [
  ['cdc_bridge_lag_records', 'Records that wait in a pipeline’s topic', ({ lag }) => lag.records],
  [
    'cdc_bridge_source_lag_seconds',
    'How far the connector is behind the source',
    ({ lag }) => lag.sourceSeconds,
  ],
  [
    'cdc_bridge_sink_lag_seconds',
    'Age of the oldest change that is not applied, at most',
    ({ lag }) => lag.sinkSeconds,
  ],
  ['cdc_bridge_rows_read', 'Changes read for a pipeline, by all instances, ever', ({ rows }) => rows.read],
  [
    'cdc_bridge_rows_applied',
    'Changes applied for a pipeline, by all instances, ever',
    ({ rows }) => rows.applied,
  ],
  ['cdc_bridge_paused', '1 while a pipeline is paused', ({ state }) => Number(state === 'paused')],
  [
    'cdc_bridge_waiting',
    '1 while a pipeline cannot do its work',
    ({ state }) => Number(state !== 'running' && state !== 'paused'),
  ],
  [
    'cdc_bridge_conflicts',
    'Conflicts decided for a pair, by all instances, ever',
    ({ pair }) => pair?.conflicts ?? null,
  ],
  [
    'cdc_bridge_parked_keys',
    'Keys of a pair that one side refuses',
    ({ pair }) => pair?.parked.count ?? null,
  ],
];

/** Statuses are asked for once for all gauges of a scrape. */
const FRESH_MS = 500;

/** Metrics of every pipeline, by its name; a value that is not known is left out. */
export function measurePipelines(bridge: Bridge, registry: Registry): void {
  countDeadLetters(bridge, registry);
  let asked: { readonly at: number; readonly statuses: Promise<PipelineStatus[]> } | undefined;
  const statuses = () => {
    if (!asked || performance.now() - asked.at > FRESH_MS)
      asked = { at: performance.now(), statuses: known(bridge) };
    return asked.statuses;
  };
  for (const [name, help, value] of GAUGES) {
    registry.removeSingleMetric(name);
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['pipeline'],
      registers: [registry],
      async collect() {
        gauge.reset();
        for (const status of await statuses()) {
          const number = value(status);
          if (number !== null) gauge.set({ pipeline: status.name }, number);
        }
      },
    });
  }
}

/** At zero from the start: an alarm is on their growth. */
function countDeadLetters({ services, letters }: Bridge, registry: Registry): void {
  const name = 'cdc_bridge_dead_letters_total';
  registry.removeSingleMetric(name);
  const counter = new Counter({
    name,
    help: 'Records that this instance wrote to a pipeline’s dead-letter topic',
    labelNames: ['pipeline'],
    registers: [registry],
    collect() {
      counter.reset();
      for (const pipeline of services.keys()) counter.inc({ pipeline }, letters.of(pipeline));
    },
  });
}

async function known(bridge: Bridge): Promise<PipelineStatus[]> {
  const settled = await Promise.allSettled([...bridge.services.values()].map((service) => service.status()));
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
