import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { topics } from '@millrace/schemas';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../project.js';
import { hostsFromEnvironment } from './hosts.js';

describe.each(['orders-outbox', 'inventory-outbox'])('the connector %s', (name) => {
  const read = async () =>
    JSON.parse(await readFile(join(PROJECT_ROOT, 'infra', 'connectors', `${name}.json`), 'utf8')) as Record<
      string,
      string
    >;

  it('delivers once, from the beginning, and has its heartbeat topic declared', async () => {
    const config = await read();
    expect(config).toMatchObject({ 'exactly.once.support': 'required', 'snapshot.mode': 'initial' });
    expect(topics.map((topic) => topic.name)).toContain(`__debezium-heartbeat.${config['topic.prefix']}`);
  });

  it('holds no host and no credential', async () => {
    const config = await read();
    for (const key of [
      'database.hostname',
      'database.password',
      'mongodb.password',
      'database.user',
      'mongodb.user',
    ]) {
      if (config[key]) expect(config[key]).toMatch(/^\$\{env:[A-Z_]+\}$/);
    }
    expect(JSON.stringify(config)).not.toMatch(/127\.0\.0\.1|localhost/);
  });
});

it('names every variable that says where a stack is and is missing', () => {
  expect(() => hostsFromEnvironment({ KAFKA_BROKERS: 'kafka-1:9092' })).toThrow(
    'POSTGRES_ADDRESS, MONGO_ADDRESS, REGISTRY_URL, CONNECT_URL',
  );
});
