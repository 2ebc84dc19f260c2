import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contracts } from './contracts.js';
import { INVENTORY_EVENTS, ORDER_EVENTS, retentionOf, type TopicDeclaration, topics } from './topics.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const connectors = join(import.meta.dirname, '../../../infra/connectors');
const declared = (name: string) => topics.find((topic) => topic.name === name) as TopicDeclaration;

it('declares the topic of every event', () => {
  const names = new Set(topics.map(({ name }) => name));
  expect(contracts.filter(({ topic }) => !names.has(topic))).toEqual([]);
});

describe.each([ORDER_EVENTS, INVENTORY_EVENTS])('%s', (name) => {
  it('has partitions to share among instances, and survives the loss of a broker', () => {
    expect(declared(name).partitions).toBeGreaterThanOrEqual(6);
    expect(declared(name).replicationFactor).toBe(3);
    expect(declared(name).config['min.insync.replicas']).toBe('2');
  });

  it('keeps its events for a week, and then removes them', () => {
    expect(declared(name).config['cleanup.policy']).toBe('delete');
    expect(declared(name).config['retention.ms']).toBe(String(7 * DAY_MS));
  });
});

it.each(readdirSync(connectors))('declares the heartbeat topic of connector %s', (file) => {
  const connector = JSON.parse(readFileSync(join(connectors, file), 'utf8')) as { 'topic.prefix': string };
  expect(declared(`__debezium-heartbeat.${connector['topic.prefix']}`)).toMatchObject({
    replicationFactor: 3,
    config: { 'min.insync.replicas': '2', 'cleanup.policy': 'delete' },
  });
});

describe('the retention of a topic', () => {
  it('is what its declaration says', () => {
    expect(retentionOf(ORDER_EVENTS)).toBe(Number(declared(ORDER_EVENTS).config['retention.ms']));
  });

  it.each([{}, { 'retention.ms': '-1' }])('is refused where records are kept for ever: %o', (config) => {
    const topic = { ...declared(ORDER_EVENTS), config };
    expect(() => retentionOf(ORDER_EVENTS, [topic])).toThrow(`topic ${ORDER_EVENTS} has no retention.ms`);
  });

  it('is refused for a topic that is not declared', () => {
    expect(() => retentionOf('elsewhere')).toThrow('topic elsewhere has no retention.ms');
  });
});
