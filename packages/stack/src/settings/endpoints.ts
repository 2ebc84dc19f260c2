import { type Env, portOf, required } from './stack-env.js';

/** What `stack.json` says: every address of a running stack, with credentials, and every log file. */
export interface StackEndpoints {
  readonly version: 1;
  readonly name: string;
  readonly kafka: { readonly bootstrapServers: string[] };
  readonly registry: { readonly url: string };
  readonly connect: { readonly url: string };
  readonly databases: {
    readonly postgresAdmin: string;
    readonly mongoAdmin: string;
    readonly orders: RoleUrls;
    readonly inventory: RoleUrls;
  };
  readonly services: Readonly<Record<string, string[]>>;
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly log: string }>>;
}

/** What is known of a stack before it runs. */
export type StackAddresses = Omit<StackEndpoints, 'processes'>;

export interface RoleUrls {
  readonly owner: string;
  readonly app: string;
  readonly cdc: string;
  readonly bridge: string;
}

/** Where each part is reached: by `host:port`, or by URL where it speaks HTTP. */
export interface Hosts {
  readonly kafka: string[];
  readonly postgres: string;
  readonly mongo: string;
  readonly registry: string;
  readonly connect: string;
}

export const BROKER_IDS = [1, 2, 3] as const;

export const HOST = '127.0.0.1';

/** The hosts of a native stack: all on this machine, on the ports of its block. */
export const nativeHosts = (env: Env): Hosts => {
  const at = (name: string) => `${HOST}:${portOf(env, name)}`;
  return {
    kafka: BROKER_IDS.map((id) => at(`KAFKA_${id}_PORT`)),
    postgres: at('POSTGRES_PORT'),
    mongo: at('MONGO_PORT'),
    registry: `http://${at('REGISTRY_PORT')}`,
    connect: `http://${at('CONNECT_PORT')}`,
  };
};

/** The addresses of everything that does not depend on what runs: users and names from the env, places from `hosts`. */
export const infrastructureEndpoints = (
  env: Env,
  hosts: Hosts,
): Omit<StackEndpoints, 'name' | 'services' | 'processes'> => ({
  version: 1,
  kafka: { bootstrapServers: hosts.kafka },
  registry: { url: `${hosts.registry}/apis/ccompat/v7` },
  connect: { url: hosts.connect },
  databases: {
    postgresAdmin: postgresUrl(env, hosts, 'POSTGRES', 'postgres'),
    mongoAdmin: mongoUrl(env, hosts, 'MONGO_ADMIN', ''),
    orders: roleUrls((role) => postgresUrl(env, hosts, `ORDERS_${role}`, required(env, 'ORDERS_DATABASE'))),
    inventory: roleUrls((role) =>
      mongoUrl(env, hosts, `INVENTORY_${role}`, required(env, 'INVENTORY_DATABASE')),
    ),
  },
});

const roleUrls = (urlFor: (role: string) => string): RoleUrls => ({
  owner: urlFor('OWNER'),
  app: urlFor('APP'),
  cdc: urlFor('CDC'),
  bridge: urlFor('BRIDGE'),
});

const credentials = (env: Env, account: string): string =>
  ['USER', 'PASSWORD'].map((part) => encodeURIComponent(required(env, `${account}_${part}`))).join(':');

const postgresUrl = (env: Env, hosts: Hosts, account: string, database: string): string =>
  `postgres://${credentials(env, account)}@${hosts.postgres}/${database}`;

const mongoUrl = (env: Env, hosts: Hosts, account: string, database: string): string => {
  const replicaSet = required(env, 'MONGO_REPLICA_SET');
  return `mongodb://${credentials(env, account)}@${hosts.mongo}/${database}?replicaSet=${replicaSet}&authSource=admin`;
};
