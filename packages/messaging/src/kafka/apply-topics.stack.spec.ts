import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes } from 'kafkajs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyTopics } from './apply-topics.js';
import { brokers, withAdmin } from './spec-support/kafka-under-test.js';

let names: [string, string];

beforeEach(() => {
  names = [`test-${randomUUID()}`, `test-${randomUUID()}`];
});
afterEach(() =>
  withAdmin(async (admin) => {
    const existing = await admin.listTopics();
    await admin.deleteTopics({ topics: names.filter((name) => existing.includes(name)) });
  }),
);

const declared = (config: Record<string, string>, partitions = 2) =>
  names.map((name) => ({ name, partitions, replicationFactor: 3, config }));

async function configOf(name: string): Promise<Record<string, string>> {
  const { resources } = await withAdmin((admin) =>
    admin.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name }] }),
  );
  return Object.fromEntries(
    resources.flatMap(({ configEntries }) =>
      configEntries.map(({ configName, configValue }) => [configName, configValue]),
    ),
  );
}

test('creates what is missing, as declared, and then nothing more', async () => {
  const topics = declared({ 'retention.ms': '3600000', 'min.insync.replicas': '2' });
  expect(await applyTopics(brokers, topics)).toEqual({ created: names, altered: [], differences: [] });
  expect(await configOf(names[0])).toMatchObject({ 'retention.ms': '3600000', 'min.insync.replicas': '2' });
  const { topics: made } = await withAdmin((admin) => admin.fetchTopicMetadata({ topics: names }));
  expect(made.map(({ partitions }) => partitions.map(({ replicas }) => replicas.length))).toEqual([
    [3, 3],
    [3, 3],
  ]);
  expect(await applyTopics(brokers, topics)).toEqual({ created: [], altered: [], differences: [] });
});

test('sets a configuration that differs, and keeps what else was set', async () => {
  await applyTopics(brokers, declared({ 'retention.ms': '3600000', 'segment.ms': '700000' }));
  const { altered } = await applyTopics(brokers, declared({ 'retention.ms': '7200000' }));
  expect(altered).toEqual(names.map((name) => `${name}: retention.ms=7200000 (was 3600000)`));
  expect(await configOf(names[0])).toMatchObject({ 'retention.ms': '7200000', 'segment.ms': '700000' });
});

test('keeps what was set to more than is declared, as a longer retention for an outage', async () => {
  await applyTopics(brokers, declared({ 'retention.ms': '7200000', 'cleanup.policy': 'compact' }));
  const shorter = declared({ 'retention.ms': '3600000', 'cleanup.policy': 'delete' });
  const { altered } = await applyTopics(brokers, shorter);
  expect(altered).toEqual(names.map((name) => `${name}: cleanup.policy=delete (was compact)`));
  expect(await configOf(names[0])).toMatchObject({ 'retention.ms': '7200000', 'cleanup.policy': 'delete' });
  expect(await applyTopics(brokers, shorter)).toEqual({ created: [], altered: [], differences: [] });
});

test('never changes the number of partitions, and says that it differs', async () => {
  await applyTopics(brokers, declared({}));
  const { differences } = await applyTopics(brokers, declared({}, 5));
  expect(differences).toEqual(names.map((name) => `${name}: 2 partitions, declared 5`));
});

test('refuses a declaration that the cluster does not take, before it creates any', async () => {
  const [good, bad] = declared({});
  if (!good || !bad) throw new Error('two topics are declared');
  await expect(applyTopics(brokers, [good, { ...bad, replicationFactor: 99 }])).rejects.toThrow(bad.name);
  expect(await withAdmin((admin) => admin.listTopics())).not.toContain(good.name);
});
