import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { infrastructureEndpoints, readStackEnv, SERVICES } from '@millrace/stack';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  image: string;
  command?: string[];
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string | number>;
  env_file?: string;
  healthcheck?: unknown;
  ports?: string[];
  volumes?: string[];
}

interface Compose {
  services: Record<string, Service>;
  [key: string]: unknown;
}

const infra = join(import.meta.dirname, '..', 'infra');
const read = (...path: string[]) => readFileSync(join(infra, ...path), 'utf8');
const text = read('docker-compose.yml');
const compose = parse(text, { merge: true }) as Compose;
const env = await readStackEnv(dirname(infra));
const services = Object.entries(compose.services);
const service = (name: string) => compose.services[name] as Service;

const at = infrastructureEndpoints(env, {
  kafka: ['kafka-1:9092', 'kafka-2:9092', 'kafka-3:9092'],
  postgres: 'postgres:5432',
  mongo: 'mongo:27017',
  registry: 'http://registry:8080',
  connect: 'http://connect:8083',
});

/** Names of `${NAME}` and `${env:NAME}`, Compose's `$$` aside. */
const variablesIn = (source: string, prefix = '') =>
  [...source.matchAll(new RegExp(`(?<!\\$)\\$\\{${prefix}(\\w+)\\}`, 'g'))].map(([, name]) => name as string);

/** dclint carries the Compose specification's schema. */
const schemaFile = join(
  dirname(createRequire(import.meta.url).resolve('dclint/package.json')),
  'schemas',
  'compose.schema.json',
);
const schema = {
  ...JSON.parse(readFileSync(schemaFile, 'utf8')),
  $schema: 'http://json-schema.org/draft-07/schema#',
};
const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);

describe('infra/docker-compose.yml', () => {
  it('follows the Compose specification’s schema', () => {
    validate(compose);
    expect(validate.errors).toBeNull();
  });

  it('would be refused with a key that the specification does not have', () => {
    const typo = {
      ...compose,
      services: { ...compose.services, mongo: { ...service('mongo'), enviroment: {} } },
    };
    expect(validate(typo)).toBe(false);
  });

  it('is given its variables: infra/.env is infra/stack.env, and declares every one', () => {
    expect(read('.env')).toBe(read('stack.env'));
    expect(variablesIn(text).filter((name) => !(name in env) && name !== 'env')).toEqual([]);
  });

  it('publishes on 127.0.0.1 only, each port a variable of its own', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports);
    const names = published.map((port) => /^127\.0\.0\.1:\$\{(\w+_PORT)\}:\d+$/.exec(port)?.[1]);
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
    const internal = (name: string) => /_CONTROLLER_PORT|_MANAGEMENT_PORT/.test(name);
    expect(names.sort()).toEqual(
      Object.keys(env)
        .filter((name) => name.endsWith('_PORT') && !internal(name))
        .sort(),
    );
  });

  it('counts second instances as the native stack does', () => {
    for (const { port } of SERVICES) {
      expect(Number(env[port.replace('_PORT', '_2_PORT')])).toBe(Number(env[port]) + 1);
    }
  });

  it('repeats no user, password, name or port of stack.env', () => {
    const own = Object.entries(env).filter(
      ([name, value]) =>
        /PASSWORD|KEY|_PORT|_ID|_USER$/.test(name) && !['postgres', 'admin', 'registry'].includes(value),
    );
    expect(own.length).toBeGreaterThan(20);
    expect(own.filter(([, value]) => text.includes(value))).toEqual([]);
  });

  it('runs upstream images, their versions those that the native stack fetches', () => {
    const pom = read('jvm', 'pom.xml');
    const version = (name: string) => new RegExp(`<${name}>(.+)</${name}>`).exec(pom)?.[1];
    expect(service('kafka-1').image).toBe(`apache/kafka:${version('kafka.version')}`);
    expect(service('connect').image).toBe(`quay.io/debezium/connect:${version('debezium.postgres.version')}`);
    expect(service('registry').image).toBe(
      `apicurio/apicurio-registry:${version('apicurio.registry.version')}`,
    );
    expect(new Set(services.map(([, { image }]) => image))).toEqual(
      new Set([
        ...[service('kafka-1').image, service('connect').image, service('registry').image],
        ...['postgres:17', 'mongo:8.0', 'millrace/app:dev'],
      ]),
    );
  });

  it('mounts the very files that the native stack reads', () => {
    const files = services.flatMap(([, { volumes = [], env_file }]) => [
      ...volumes.filter((volume) => volume.startsWith('.')).map((volume) => volume.split(':')[0] as string),
      ...(env_file ? [env_file] : []),
    ]);
    expect(files.filter((file) => !existsSync(join(infra, file)))).toEqual([]);
    for (const file of [
      ...['./kafka/broker.properties', './postgres/postgresql.conf', './mongo/mongod.conf'],
      ...['registry/registry.env', 'connect/worker.env'],
    ]) {
      expect(files).toContain(file);
    }
  });

  it('gives Connect all that the connectors name', () => {
    const named = readdirSync(join(infra, 'connectors')).flatMap((file) =>
      variablesIn(read('connectors', file), 'env:'),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(Object.keys(service('connect').environment ?? {})).toEqual(expect.arrayContaining(named));
  });

  it('gives each service two instances with the variables and addresses that the native stack gives it', () => {
    for (const { name, env: wanted } of SERVICES) {
      for (const instance of [`${name}-1`, `${name}-2`]) {
        const given = Object.entries(service(instance).environment ?? {});
        expect(
          Object.fromEntries(given.map(([key, value]) => [key, substituted(String(value))])),
        ).toMatchObject(wanted(at));
        expect(service(instance).command?.at(-1)).toBe(`apps/${name}/dist/main.js`);
      }
    }
  });

  it('gives no service what only the deploy step has: the owners’ and the connectors’ URLs', () => {
    const owners = /_owner|_OWNER_URL|_CONNECTOR_URL/;
    const told = (variables: object) =>
      Object.entries(variables).map(([name, value]) => `${name}=${substituted(String(value))}`);
    for (const { name, env: given, migration } of SERVICES) {
      expect(told(migration.env(at)).join('\n')).toMatch(owners);
      expect(told(given(at)).filter((line) => owners.test(line))).toEqual([]);
      for (const instance of [`${name}-1`, `${name}-2`])
        expect(told(service(instance).environment ?? {}).filter((line) => owners.test(line))).toEqual([]);
    }
  });

  it('checks the health of everything that stays', () => {
    const jobs = ['databases', 'deploy'];
    expect(services.filter(([name, { healthcheck }]) => !healthcheck && !jobs.includes(name))).toEqual([]);
  });

  it('builds our own image without asking a registry for a Dockerfile syntax', () => {
    const { build } = service('deploy');
    expect(build && existsSync(join(infra, build.context, build.dockerfile))).toBe(true);
    expect(read('docker', 'Dockerfile')).not.toMatch(/^#\s*syntax/i);
  });
});

const substituted = (value: string) => value.replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '');
