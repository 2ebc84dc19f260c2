import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { assertKept, decideSettings } from './decide-settings.js';
import { infrastructureEndpoints, nativeHosts } from './endpoints.js';
import { basesFor, isPortFree, parsePortBase, pickPortBase } from './port-base.js';
import { formatProperties, workerProperties } from './properties.js';
import { movePorts, readStackEnv } from './stack-env.js';

const ROOT = `${import.meta.dirname}/../../../..`;
const declared = await readStackEnv(ROOT);

describe('the block of ports', () => {
  it('moves as a whole, and leaves everything else as declared', () => {
    const moved = movePorts(declared, 14_300);
    expect(moved.KAFKA_1_PORT).toBe('14301');
    expect(moved.INVENTORY_SERVICE_PORT).toBe('14360');
    expect(moved.POSTGRES_PASSWORD).toBe(declared.POSTGRES_PASSWORD);
  });

  it('refuses a port outside of the block, by name', () => {
    expect(() => movePorts({ PORT_BASE: '21000', EXTRA_PORT: '21100' }, 14_300)).toThrow('EXTRA_PORT');
    expect(() => movePorts({ PORT_BASE: '21000', EXTRA_PORT: 'http' }, 14_300)).toThrow('EXTRA_PORT');
  });
});

describe('the port base of a checkout', () => {
  it('is the same every time, and one of 200 between 12000 and 32000', () => {
    const bases = basesFor('/a/checkout');
    expect(basesFor('/a/checkout')).toEqual(bases);
    expect(new Set(bases).size).toBe(200);
    expect(Math.min(...bases)).toBe(12_000);
    expect(Math.max(...bases)).toBe(31_900);
  });

  it('differs for most other checkouts', () => {
    const firsts = new Set(Array.from({ length: 50 }, (_, i) => basesFor(`/checkout/${i}`)[0]));
    expect(firsts.size).toBeGreaterThan(35);
  });

  it('is the next one when any port of the block is taken', async () => {
    const [first = 0, second] = basesFor('/a/checkout');
    const base = await pickPortBase('/a/checkout', [1, 20, 60], async (port) => port !== first + 60);
    expect(base).toBe(second);
  });

  it('is refused with the fix when every block is taken', async () => {
    await expect(pickPortBase('/a/checkout', [1], async () => false)).rejects.toThrow('MILLRACE_PORT_BASE');
  });

  it('takes an override only where 100 ports fit', () => {
    expect(parsePortBase('15000')).toBe(15_000);
    for (const value of ['80', '65500', 'many', '15000.5']) {
      expect(() => parsePortBase(value)).toThrow(`"${value}"`);
    }
  });

  it('sees a port that something listens on', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(await isPortFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortFree(port)).toBe(true);
  });
});

describe('what a stack runs with', () => {
  const stored = {
    portBase: 14_300,
    jit: 'full' as const,
    services: {
      'order-service': { instances: 2, env: { ORDER_EXPIRY_MS: '5000' } },
      'inventory-service': { instances: 1, env: {} },
      'cdc-bridge': { instances: 1, env: {} },
    },
  };

  it('stays as it was at the last start where nothing else is asked for', async () => {
    expect(await decideSettings({}, stored, declared, '/a/checkout')).toEqual(stored);
  });

  it('follows what is asked for', async () => {
    const wishes = { portBase: 15_000, instances: { 'order-service': 3 } };
    const { portBase, services } = await decideSettings(wishes, stored, declared, '/a/checkout');
    expect(portBase).toBe(15_000);
    expect(services['order-service']).toEqual({ instances: 3, env: { ORDER_EXPIRY_MS: '5000' } });
  });

  it('cannot be changed while it runs, where ports or JVMs are concerned', () => {
    expect(() => assertKept(stored, { ...stored, services: {} })).not.toThrow();
    expect(() => assertKept(stored, { ...stored, portBase: 15_000 })).toThrow(
      'runs with port base 14300: stop it with stack down before it starts with 15000',
    );
    expect(() => assertKept(stored, { ...stored, jit: 'quick' })).toThrow('runs with --jit full');
  });

  it('refuses a service that there is not, naming those that there are', async () => {
    const wishes = { instances: { 'odrer-service': 2 } };
    await expect(decideSettings(wishes, stored, declared, '/')).rejects.toThrow(
      '"odrer-service". There are: order-service, inventory-service',
    );
  });
});

it('turns the variables of the Connect image into worker settings', () => {
  expect(
    workerProperties({ GROUP_ID: 'a', CONNECT_CONFIG_PROVIDERS_ENV_CLASS: 'b', CONNECT_KEY_CONVERTER: 'c' }),
  ).toEqual({ 'group.id': 'a', 'config.providers.env.class': 'b', 'key.converter': 'c' });
});

it('writes properties that Java reads back as they were', () => {
  expect(formatProperties({ 'a.b': 'c\\d', port: 1 })).toBe('a.b=c\\\\d\nport=1\n');
  expect(() => formatProperties({ a: 'x\ny=z' })).toThrow('line break');
});

it('puts every address on 127.0.0.1, each role with a password of its own', () => {
  const env = movePorts(declared, 14_300);
  const { kafka, databases } = infrastructureEndpoints(env, nativeHosts(env));
  expect(kafka.bootstrapServers).toEqual(['127.0.0.1:14301', '127.0.0.1:14302', '127.0.0.1:14303']);
  expect(databases.orders.cdc).toBe('postgres://orders_cdc:orders-cdc-dev@127.0.0.1:14320/orders');
  expect(databases.inventory.app).toBe(
    'mongodb://inventory_app:inventory-app-dev@127.0.0.1:14321/inventory?replicaSet=rs0&authSource=admin',
  );
});

it('keeps special characters of a password inside the password', () => {
  const env = { ...movePorts(declared, 14_300), ORDERS_APP_PASSWORD: 'a/b@c:d' };
  const { orders } = infrastructureEndpoints(env, nativeHosts(env)).databases;
  expect(new URL(orders.app).hostname).toBe('127.0.0.1');
  expect(decodeURIComponent(new URL(orders.app).password)).toBe('a/b@c:d');
});
