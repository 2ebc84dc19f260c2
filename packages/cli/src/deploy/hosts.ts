import { type Hosts, StackError } from '@millrace/stack';

const VARIABLES = {
  kafka: 'KAFKA_BROKERS',
  postgres: 'POSTGRES_ADDRESS',
  mongo: 'MONGO_ADDRESS',
  registry: 'REGISTRY_URL',
  connect: 'CONNECT_URL',
} as const;

/** Whether the environment says where every part is, as that of Compose's jobs does. */
export const namesHosts = (env: NodeJS.ProcessEnv): boolean => missingOf(env).length === 0;

/**
 * Where the parts of a stack are that something else started: `KAFKA_BROKERS` (comma separated), `POSTGRES_ADDRESS`
 * and `MONGO_ADDRESS` (`host:port`), `REGISTRY_URL` and `CONNECT_URL` (without a path).
 * @throws StackError WRONG_SETTINGS that names every variable that is missing.
 */
export const hostsFromEnvironment = (env: NodeJS.ProcessEnv): Hosts => {
  const missing = missingOf(env);
  if (missing.length > 0) {
    throw new StackError(
      'WRONG_SETTINGS',
      `Set ${missing.join(', ')} to where the stack to deploy to can be reached.`,
    );
  }
  const value = (name: string) => env[name] ?? '';
  return {
    kafka: value(VARIABLES.kafka).split(','),
    postgres: value(VARIABLES.postgres),
    mongo: value(VARIABLES.mongo),
    registry: value(VARIABLES.registry),
    connect: value(VARIABLES.connect),
  };
};

const missingOf = (env: NodeJS.ProcessEnv): string[] => Object.values(VARIABLES).filter((name) => !env[name]);
