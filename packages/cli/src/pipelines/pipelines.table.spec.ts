import type { PipelineView } from '@millrace/testing';
import { expect, it } from 'vitest';
import { pipelinesTable } from './pipelines.table.js';

const pipeline: PipelineView = {
  name: 'orders',
  from: 'public.orders',
  to: 'orders',
  state: 'running',
  reasons: [],
  lag: { records: 0, sourceSeconds: 0.04, sinkSeconds: null },
  rows: { read: 1, applied: 1 },
};

it('shows the state of each and how far it is behind, as far as that is known', () => {
  const lag = { records: null, sourceSeconds: null, sinkSeconds: null };
  const waiting: PipelineView = {
    ...pipeline,
    name: 'stock',
    state: 'waiting',
    lag,
    reasons: ['Kafka is away'],
  };
  expect(pipelinesTable([pipeline, waiting]).split('\n')).toEqual([
    'orders  running  public.orders → orders  0 records wait, source 0.0 s behind',
    'stock   waiting  public.orders → orders',
    '  Kafka is away',
  ]);
});
