import { eventually } from '@millrace/testing';
import { expect, inject, it, onTestFinished } from 'vitest';
import { flowWhile } from '../support/flowing-orders.js';
import { ownStack } from '../support/own-stack.js';
import { World } from '../support/world.js';

const stack = ownStack();

it.each(['order-service', 'inventory-service'])(
  'loses and doubles nothing when instances of %s are killed, in turn, and started again while orders flow',
  async (service) => {
    const instances = [`${service}-1`, `${service}-2`];
    onTestFinished(async () => {
      await Promise.all(instances.map((name) => stack.start(name)));
    });
    await flowWhile(async () => {
      for (const name of instances) {
        await stack.kill(name, 'SIGKILL');
        await stack.start(name);
      }
    });
  },
);

it.each([
  ['postgres', 'order-service'],
  ['mongod', 'inventory-service'],
])(
  'goes on by itself after %s was killed and came back; meanwhile %s is not ready, and alive',
  async (database, service) => {
    await using world = await World.open();
    const [url = ''] = inject('stack').services[service] ?? [];
    const health = async (path: string) =>
      (await fetch(url + path, { signal: AbortSignal.timeout(10_000) })).status;
    const sku = await world.sku(10);
    onTestFinished(() => stack.start(database));

    await stack.kill(database, 'SIGKILL');
    await eventually(
      `${service} not to be ready`,
      30_000,
      async () => (await health('/health/ready')) === 503,
    );
    expect(await health('/health/live')).toBe(200);
    await stack.start(database);

    await eventually(
      `${service} to be ready again`,
      60_000,
      async () => (await health('/health/ready')) === 200,
    );
    const { id } = await world.place([sku, 1]);
    await world.until(id, 'confirmed');
  },
);

it('keeps confirming orders while the registry is away, from what it has cached', async () => {
  await using world = await World.open();
  const sku = await world.sku(10);
  await world.until((await world.place([sku, 1])).id, 'confirmed');
  onTestFinished(() => stack.start('registry'));

  await stack.kill('registry', 'SIGKILL');
  await world.until((await world.place([sku, 1])).id, 'confirmed');
});

it('has a registry that answers every request as soon as Postgres is back', async () => {
  const subjects = async () => {
    const { status } = await fetch(`${inject('stack').registry.url}/subjects`, {
      signal: AbortSignal.timeout(10_000),
    });
    return status;
  };
  const several = () => Promise.all(Array.from({ length: 8 }, subjects));
  onTestFinished(() => stack.start('postgres'));
  await several(); // over connections that the kill will break
  await stack.kill('postgres', 'SIGKILL');
  await stack.start('postgres');
  expect(await several()).toEqual(Array(8).fill(200));
});
