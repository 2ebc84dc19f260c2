import type { DeployStep } from './deploy-step.js';
import { brokerName } from './kafka/broker-config.js';
import { provisionMongo } from './mongo/provision-mongo.js';
import type { NativeContext } from './native-context.js';
import { provisionPostgres } from './postgres/provision-postgres.js';
import { logHint } from './processes/log-tail.js';
import type { Part } from './processes/part.js';
import { requireCompatibility } from './registry/registry-rules.js';
import { SERVICES, type ServiceDeclaration } from './services/declarations.js';
import { migration, migrationName } from './services/migration.js';
import { BROKER_IDS, nativeHosts, type StackAddresses } from './settings/endpoints.js';
import { after, type Node, parallel, sequence, step } from './tree/resource.js';

/** Names that deploy steps can wait for. */
export const READY = {
  brokers: BROKER_IDS.map(brokerName),
  postgres: 'postgres-roles',
  mongo: 'mongo-users',
  registry: 'registry-rules',
  connect: 'connect',
  /** Those that need nothing but their database. */
  migrations: SERVICES.filter(({ migration }) => migration.needs === 'databases').map(migrationName),
} as const;

const NEEDED = {
  databases: [READY.postgres, READY.mongo],
  everything: [...READY.brokers, READY.registry, READY.connect, ...READY.migrations],
} as const;

export interface Infrastructure {
  readonly brokers: readonly Part[];
  readonly postgres: Part;
  readonly mongod: Part;
  readonly registry: Part;
  readonly connect: Part;
}

/** Read from below, it is the order of stopping: Connect, registry, Kafka, databases. */
export const growInfrastructure = (
  { env, state }: NativeContext,
  { databases, registry }: StackAddresses,
  parts: Infrastructure,
): Node => {
  const log = (part: Part) => () => logHint(state.log(part.name));
  const roles = step(
    READY.postgres,
    (signal) => provisionPostgres(databases.postgresAdmin, env, signal),
    log(parts.postgres),
  );
  const users = step(
    READY.mongo,
    (signal) => provisionMongo(nativeHosts(env).mongo, env, signal),
    log(parts.mongod),
  );
  const rules = step(
    READY.registry,
    (signal) => requireCompatibility(registry.url, signal),
    log(parts.registry),
  );

  return sequence(
    parallel(sequence(parts.postgres.resource, roles), sequence(parts.mongod.resource, users)),
    after([], parallel(...parts.brokers.map(({ resource }) => resource))),
    after([READY.postgres], sequence(parts.registry.resource, rules)),
    after(READY.brokers, parts.connect.resource),
  );
};

/** A service and its instances. */
export interface ServiceParts {
  readonly service: ServiceDeclaration;
  readonly instances: readonly Part[];
}

/** Migrations and deploy steps, then each service behind those that it needs. */
export const growApplication = (
  context: NativeContext,
  at: StackAddresses,
  deploySteps: readonly DeployStep[],
  services: readonly ServiceParts[],
): Node => {
  const migrations = SERVICES.map((service) =>
    after(NEEDED[service.migration.needs], migration(context, service, at)),
  );
  const steps = deploySteps.map(({ name, run, log, after: needed }) => {
    const hint = () => logHint(context.state.log(log));
    return after(
      needed,
      step(name, (signal) => run(at, signal), hint),
    );
  });
  const gates = deploySteps.filter(({ gatesServices }) => gatesServices).map(({ name }) => name);
  return sequence(
    parallel(...migrations, ...steps),
    after(
      [],
      parallel(
        ...services.map(({ service, instances }) =>
          after(
            [...READY.migrations, migrationName(service), ...gates],
            parallel(...instances.map(({ resource }) => resource)),
          ),
        ),
      ),
    ),
  );
};
