import { type Environment, milliseconds, serviceConfig, url } from '@millrace/service-defaults';
import { z } from 'zod';
import {
  type DatabaseSettings,
  databaseVariables,
  describeDatabases,
} from './databases/database-settings.js';

const connect = {
  CONNECT_URL: url('http', 'https').describe('Kafka Connect’s REST API, for example http://127.0.0.1:8083'),
  PIPELINES_FILE: z
    .string()
    .default('apps/cdc-bridge/pipelines.yaml')
    .describe('The file that lists the pipelines, from the folder that the process runs in'),
};

const work = {
  WORK_TIMEOUT_MS: milliseconds()
    .default(900_000)
    .describe('How long a verification or a repair may take that somebody asks for'),
};

/**
 * What the service reads from an environment: what every service reads, and the databases that it names.
 * @param env decides which variables of databases there are
 */
export function bridgeConfig(env: Environment) {
  const databases = databaseVariables(env, []) as Record<never, z.ZodType<string>>;
  return serviceConfig.extend(connect).extend(work).extend(databases);
}

/**
 * What the deploy step reads: for each database also the owner's URL, with which it changes the database, and the
 * URL by which Connect reaches it.
 */
export function prepareConfig(env: Environment) {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = serviceConfig.shape;
  return z.object({
    KAFKA_BROKERS,
    SCHEMA_REGISTRY_URL,
    ...connect,
    CONNECT_REGISTRY_URL: url('http', 'https').describe(
      'The registry as Connect reaches it, for example http://127.0.0.1:8081/apis/registry/v3',
    ),
    ...databaseVariables(env, ['OWNER', 'CONNECTOR']),
  });
}

export type BridgeConfig = z.output<typeof serviceConfig> &
  z.output<z.ZodObject<typeof connect & typeof work>>;

/** The databases of a configuration that `bridgeConfig` or `prepareConfig` has read. */
export function databasesOf(config: object): DatabaseSettings[] {
  return describeDatabases(config as Record<string, unknown>);
}
