import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './config.error.js';
import { brokers, milliseconds, port, url } from './config-fields.js';
import { loadConfig } from './load-config.js';
import { serviceConfig } from './service.config.js';

const schema = serviceConfig.extend({
  DATABASE_URL: url('postgres', 'postgresql').describe(
    'Postgres, for example postgres://user:password@host/db',
  ),
  ORDER_EXPIRY_MS: milliseconds().default(60_000),
});

const fitting = {
  PORT: '3001',
  KAFKA_BROKERS: '127.0.0.1:9092, 127.0.0.1:9093',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/apis/ccompat/v7',
  DATABASE_URL: 'postgres://orders:s3cret@127.0.0.1:5432/orders',
};

function faultsOf(env: Record<string, string | undefined>): ConfigError {
  try {
    loadConfig(schema, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('the configuration was accepted');
}

test('parses what is set and fills in defaults', () => {
  expect(loadConfig(schema, fitting)).toEqual({
    HOST: '127.0.0.1',
    PORT: 3001,
    LOG_LEVEL: 'info',
    KAFKA_BROKERS: ['127.0.0.1:9092', '127.0.0.1:9093'],
    SCHEMA_REGISTRY_URL: fitting.SCHEMA_REGISTRY_URL,
    REQUEST_TIMEOUT_MS: 30_000,
    BODY_LIMIT_BYTES: 1_048_576,
    READINESS_TIMEOUT_MS: 2_000,
    PARTITION_STALLED_AFTER_MS: 60_000,
    SHUTDOWN_TIMEOUT_MS: 15_000,
    DATABASE_URL: fitting.DATABASE_URL,
    ORDER_EXPIRY_MS: 60_000,
  });
});

test('reports every fault at once, by variable name, with the fix', () => {
  const error = faultsOf({ PORT: 'http', LOG_LEVEL: 'loud', SCHEMA_REGISTRY_URL: 'localhost:8081' });

  expect(error.message.split('\n  ')).toEqual([
    '5 environment variables are missing or wrong:',
    'PORT is wrong: must be a whole number from 0 to 65535',
    'LOG_LEVEL is wrong: must be one of trace, debug, info, warn, error, fatal, silent',
    'KAFKA_BROKERS is not set: Kafka bootstrap servers, for example 127.0.0.1:9092,127.0.0.1:9093',
    'SCHEMA_REGISTRY_URL is wrong: must be a URL that starts with http:// or https://',
    'DATABASE_URL is not set: Postgres, for example postgres://user:password@host/db',
  ]);
  expect(error.faults.map(({ variable }) => variable)).toContain('DATABASE_URL');
});

test('never shows a value, which may be a secret', () => {
  const error = faultsOf({ ...fitting, DATABASE_URL: 'mysql://orders:s3cret@host/db' });

  expect(error.message).toContain('DATABASE_URL is wrong: must be a URL that starts with postgres://');
  expect(JSON.stringify([error.message, error.stack, error.faults])).not.toContain('s3cret');
});

test('takes an empty or blank variable as not set', () => {
  expect(faultsOf({ ...fitting, PORT: '' }).message).toContain('PORT is not set');
  expect(faultsOf({ ...fitting, PORT: ' ' }).message).toContain('PORT is not set');
  expect(loadConfig(schema, { ...fitting, HOST: '' }).HOST).toBe('127.0.0.1');
});

test('reports a fault between variables', () => {
  const pair = z
    .object({ LOW: milliseconds(), HIGH: milliseconds() })
    .refine(({ LOW, HIGH }) => LOW < HIGH, { path: ['LOW'], message: 'must be below HIGH' });

  expect(() => loadConfig(pair, { LOW: '2', HIGH: '1' })).toThrow('LOW is wrong: must be below HIGH');
});

test.each(['0', '65535'])('takes %s as a port', (text) => {
  expect(port().safeParse(text).success).toBe(true);
});

test.each(['-1', '65536', '3.5', 'x', 'NaN'])('refuses %s as a port', (text) => {
  expect(port().safeParse(text).success).toBe(false);
});

test.each(['localhost', 'localhost:', 'http://localhost:9092', 'a:1,', 'a:1;b:2'])(
  'refuses %s as brokers',
  (text) => {
    expect(brokers().safeParse(text).success).toBe(false);
  },
);

test('takes a replica set URL, which names several hosts', () => {
  const value = 'mongodb://app:p%40ss@127.0.0.1:27017,127.0.0.1:27018/inventory?replicaSet=rs0';

  expect(url('mongodb', 'mongodb+srv').parse(value)).toBe(value);
});
