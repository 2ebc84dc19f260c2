import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { TinyServiceProcess } from '../spec-support/tiny-service.process.js';

// Each test starts a process.
vi.setConfig({ testTimeout: 60_000 });

test('names every fault of its configuration and exits 1', async () => {
  await using service = new TinyServiceProcess({
    PORT: 'x',
    KAFKA_BROKERS: '',
    SCHEMA_REGISTRY_URL: 'ftp://a:s3cret@b',
  });

  expect(await service.ended()).toBe(1);
  expect(service.errors.split('\n')).toEqual([
    'tiny-service cannot start: 3 environment variables are missing or wrong:',
    '  PORT is wrong: must be a whole number from 0 to 65535',
    '  KAFKA_BROKERS is not set: Kafka bootstrap servers, for example 127.0.0.1:9092,127.0.0.1:9093',
    '  SCHEMA_REGISTRY_URL is wrong: must be a URL that starts with http:// or https://',
    '',
  ]);
  expect(service.output).toBe('');
});

test('says in one line that its port is in use and exits 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await using service = new TinyServiceProcess({ PORT: String(port) });

  expect(await service.ended()).toBe(1);
  expect(service.errors).toBe(
    `tiny-service cannot start: port ${port} on 127.0.0.1 is in use: stop what listens there or set PORT\n`,
  );
  other.close();
});

test('says in one line why a module cannot start and exits 1', async () => {
  await using service = new TinyServiceProcess({ FAIL: 'no way to\npostgres://u:s3cret@h/d' });

  expect(await service.ended()).toBe(1);
  expect(service.errors).toBe('tiny-service cannot start: no way to postgres://u:***@h/d\n');
});

test.each([
  ['/crash', 'unhandled rejection'],
  ['/crash?how=throw', 'uncaught exception'],
])('logs a fault that nobody handled and exits 1: %s', async (path, message) => {
  await using service = new TinyServiceProcess();
  await fetch(`${await service.url()}${path}`).catch(() => {});

  expect(await service.ended()).toBe(1);
  expect(await service.line(message)).toMatchObject({
    level: 'fatal',
    err: { message: 'nobody handles this' },
  });
});
