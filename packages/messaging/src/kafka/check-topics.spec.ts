import { expect, it } from 'vitest';
import { topicFaults } from './check-topics.js';

const declared = {
  name: 'orders-changes.public.orders',
  partitions: 6,
  replicationFactor: 3,
  config: { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'min.insync.replicas': '2' },
};
const actual = { partitions: 6, replicas: 3, config: declared.config };

it('takes a topic that is as declared, or keeps its records longer', () => {
  expect(topicFaults(declared, actual)).toEqual([]);
  for (const retention of ['604800001', '-1']) {
    const config = { ...declared.config, 'retention.ms': retention };
    expect(topicFaults(declared, { ...actual, config })).toEqual([]);
  }
});

it('names each fault', () => {
  const config = { 'cleanup.policy': 'compact', 'retention.ms': '1000', 'min.insync.replicas': '1' };
  expect(topicFaults(declared, { partitions: 3, replicas: 1, config })).toEqual([
    'the topic orders-changes.public.orders has partitions 3, and needs 6',
    'the topic orders-changes.public.orders has replicas 1, and needs 3',
    'the topic orders-changes.public.orders has cleanup.policy compact, and needs delete',
    'the topic orders-changes.public.orders has retention.ms 1000, and needs at least 604800000',
    'the topic orders-changes.public.orders has min.insync.replicas 1, and needs at least 2',
  ]);
});
