import { expect, it } from 'vitest';
import type { NativeContext } from './native-context.js';
import type { Part } from './processes/part.js';
import type { StackAddresses } from './settings/endpoints.js';
import { growInfrastructure, READY } from './stack-tree.js';
import { StateFolder } from './state/state-folder.js';
import { type Resource, resource, resourcesOf } from './tree/resource.js';
import { stopTree } from './tree/stop-tree.js';

const stopped: string[] = [];

const fakePart = (name: string) => {
  const part: Resource = resource({
    name,
    healthTimeoutMs: 0,
    start: async () => 'started',
    healthy: async () => {},
    stop: async () => void stopped.push(name),
  });
  return { name, resource: part } as Part;
};

const tree = growInfrastructure(
  { env: {}, state: new StateFolder('/nowhere') } as NativeContext,
  {} as StackAddresses,
  {
    brokers: READY.brokers.map(fakePart),
    postgres: fakePart('postgres'),
    mongod: fakePart('mongod'),
    registry: fakePart('registry'),
    connect: fakePart('connect'),
  },
);

it('stops Connect, then the registry, then Kafka, then the databases', async () => {
  await stopTree(tree);
  expect(stopped.slice(0, 2)).toEqual(['connect', 'registry']);
  expect(stopped.slice(2, 5).sort()).toEqual(['kafka-1', 'kafka-2', 'kafka-3']);
  expect(stopped.slice(5).sort()).toEqual(['mongod', 'postgres']);
});

it('has every name that deploy steps can wait for, but the migrations', () => {
  const names = resourcesOf(tree).map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([...READY.brokers, READY.postgres, READY.mongo, READY.registry]),
  );
});
