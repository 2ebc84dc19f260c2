import { connect } from './connect/connect.js';
import type { DeployStep } from './deploy-step.js';
import { broker } from './kafka/broker.js';
import { mongod } from './mongo/mongod.js';
import type { NativeContext } from './native-context.js';
import { postgres } from './postgres/postgres.js';
import type { Part } from './processes/part.js';
import { registry } from './registry/registry.js';
import { SERVICES, type ServiceDeclaration } from './services/declarations.js';
import { instanceUrls, type ServiceSettings, serviceInstances } from './services/service.js';
import {
  BROKER_IDS,
  infrastructureEndpoints,
  nativeHosts,
  type StackAddresses,
} from './settings/endpoints.js';
import { StackError } from './stack.error.js';
import { growApplication, growInfrastructure, type Infrastructure } from './stack-tree.js';
import { after, type Node, sequence } from './tree/resource.js';

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
  const of = (service: ServiceDeclaration) => settings[service.name] ?? { instances: 1, env: {} };
  const at: StackAddresses = {
    name,
    ...infrastructureEndpoints(env, nativeHosts(env)),
    services: Object.fromEntries(SERVICES.map((s) => [s.name, instanceUrls(env, s, of(s).instances)])),
  };

  const infrastructure: Infrastructure = {
    brokers: BROKER_IDS.map((id) => broker(context, id)),
    postgres: postgres(context, at.databases.postgresAdmin),
    mongod: mongod(context),
    registry: registry(context, at.registry.url),
    connect: connect(context, at.connect.url),
  };
  const services = SERVICES.map((service) => ({
    service,
    instances: serviceInstances(context, service, of(service), at),
  }));

  const { brokers, ...others } = infrastructure;
  const infrastructureTree = growInfrastructure(context, at, infrastructure);
  return {
    at,
    infrastructure: [...brokers, ...Object.values(others)],
    services: services.flatMap(({ instances }) => instances),
    infrastructureTree,
    wholeTree: sequence(
      infrastructureTree,
      // Its pieces say themselves what they need: they begin while the infrastructure still starts.
      after([], growApplication(context, at, deploySteps, services)),
    ),
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
