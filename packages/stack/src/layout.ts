import { connect } from './connect/connect.js';
import { broker } from './kafka/broker.js';
import { brokerName } from './kafka/broker-config.js';
import { mongod } from './mongo/mongod.js';
import { provisionMongo } from './mongo/provision-mongo.js';
import type { NativeContext } from './native-context.js';
import { postgres } from './postgres/postgres.js';
import { provisionPostgres } from './postgres/provision-postgres.js';
import type { Part } from './processes/part.js';
import { registry } from './registry/registry.js';
import { requireCompatibility } from './registry/registry-rules.js';
import { SERVICES, type ServiceDeclaration } from './services/declarations.js';
import { migration, migrationName } from './services/migration.js';
import { instanceUrls, type ServiceSettings, serviceInstances } from './services/service.js';
import {
  BROKER_IDS,
  infrastructureEndpoints,
  nativeHosts,
  type StackEndpoints,
} from './settings/endpoints.js';
import { StackError } from './stack.error.js';
import { after, type Node, parallel, sequence, step } from './tree/resource.js';

export type StackAddresses = Omit<StackEndpoints, 'processes'>;

/** A piece of the deployment that the stack itself knows nothing about; must be repeatable. */
export interface DeployStep {
  readonly name: string;
  /** Names of what must be ready before it. */
  readonly after: readonly string[];
  /** Whether services start only behind it. */
  readonly gatesServices: boolean;
  readonly run: (at: StackAddresses, signal: AbortSignal) => Promise<void>;
}

/** Names that deploy steps can wait for. */
export const READY = {
  brokers: BROKER_IDS.map(brokerName),
  postgres: 'postgres-roles',
  mongo: 'mongo-users',
  registry: 'registry-rules',
  connect: 'connect',
  migrations: SERVICES.map(migrationName),
} as const;

export interface Layout {
  readonly at: StackAddresses;
  readonly infrastructure: readonly Part[];
  readonly services: readonly Part[];
  readonly infrastructureTree: Node;
  readonly wholeTree: Node;
}

/** All parts of a native stack, and the tree that says in which order they start and stop. */
export const layOut = (
  context: NativeContext,
  name: string,
  settings: Readonly<Record<string, ServiceSettings>>,
  deploySteps: readonly DeployStep[],
): Layout => {
  const { env } = context;
  const hosts = nativeHosts(env);
  const of = (service: ServiceDeclaration) => settings[service.name] ?? { instances: 1, env: {} };
  const at: StackAddresses = {
    name,
    ...infrastructureEndpoints(env, hosts),
    services: Object.fromEntries(SERVICES.map((s) => [s.name, instanceUrls(env, s, of(s).instances)])),
  };

  const brokers = BROKER_IDS.map((id) => broker(context, id));
  const parts = {
    postgres: postgres(context, at.databases.postgresAdmin),
    mongod: mongod(context),
    registry: registry(context, at.registry.url),
    connect: connect(context, at.connect.url),
  };
  const services = SERVICES.flatMap((service) => serviceInstances(context, service, of(service), at));

  const roles = step(READY.postgres, (signal) => provisionPostgres(at.databases.postgresAdmin, env, signal));
  const users = step(READY.mongo, (signal) => provisionMongo(hosts.mongo, env, signal));
  const rules = step(READY.registry, (signal) => requireCompatibility(at.registry.url, signal));

  const infrastructureTree = sequence(
    parallel(sequence(parts.postgres.resource, roles), sequence(parts.mongod.resource, users)),
    after([], parallel(...brokers.map((part) => part.resource))),
    after([READY.postgres], sequence(parts.registry.resource, rules)),
    after(READY.brokers, parts.connect.resource),
  );
  const deployment = deploySteps.map((part) =>
    after(
      part.after,
      step(part.name, (signal) => part.run(at, signal)),
    ),
  );
  const gates = deploySteps.filter((part) => part.gatesServices).map((part) => part.name);
  const wholeTree = sequence(
    infrastructureTree,
    after(
      [],
      sequence(
        parallel(
          ...SERVICES.map((s) => after([READY.postgres, READY.mongo], migration(context, s, at))),
          ...deployment,
        ),
        after([...READY.migrations, ...gates], parallel(...services.map((part) => part.resource))),
      ),
    ),
  );

  return {
    at,
    infrastructure: [...brokers, ...Object.values(parts)],
    services,
    infrastructureTree,
    wholeTree,
  };
};

export const allParts = (layout: Layout): Part[] => [...layout.infrastructure, ...layout.services];

/** @throws StackError UNKNOWN_NAME that lists the names that there are. */
export const partNamed = (layout: Layout, name: string): Part => {
  const part = allParts(layout).find((candidate) => candidate.name === name);
  if (part) return part;
  const names = allParts(layout).map((candidate) => candidate.name);
  throw new StackError('UNKNOWN_NAME', `The stack has no "${name}". It has: ${names.join(', ')}.`);
};
