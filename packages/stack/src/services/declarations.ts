import type { StackEndpoints } from '../settings/endpoints.js';

type Infrastructure = Pick<StackEndpoints, 'kafka' | 'registry' | 'databases'>;

/** What the stack knows of an app: its command, its port and where it finds the others. */
export interface ServiceDeclaration {
  readonly name: string;
  /** Arguments of `node`, relative to the repository's root. */
  readonly command: readonly string[];
  /** The variable of `infra/stack.env` that holds the first instance's port. */
  readonly port: string;
  /** Brings the database to what the service expects: run once per start of the stack, as the owner role. */
  readonly migration: {
    readonly script: string;
    readonly env: (at: Infrastructure) => Record<string, string>;
  };
  readonly env: (at: Infrastructure) => Record<string, string>;
}

// The warning is KafkaJS's own, at every pause that is already over.
const NODE_OPTIONS = ['--max-old-space-size=192', '--disable-warning=TimeoutNegativeWarning'];

export const SERVICES: readonly ServiceDeclaration[] = [
  {
    name: 'order-service',
    command: [...NODE_OPTIONS, 'apps/order-service/dist/main.js'],
    port: 'ORDER_SERVICE_PORT',
    migration: {
      script: 'apps/order-service/dist/migrate.js',
      env: ({ databases }) => ({ DATABASE_URL: databases.orders.owner }),
    },
    env: (at) => ({ ...messaging(at), DATABASE_URL: at.databases.orders.app }),
  },
  {
    name: 'inventory-service',
    command: [...NODE_OPTIONS, 'apps/inventory-service/dist/main.js'],
    port: 'INVENTORY_SERVICE_PORT',
    migration: {
      script: 'apps/inventory-service/dist/migrate.js',
      env: ({ databases }) => ({ MONGODB_URL: databases.inventory.owner }),
    },
    env: (at) => ({ ...messaging(at), MONGODB_URL: at.databases.inventory.app }),
  },
];

const messaging = ({ kafka, registry }: Infrastructure): Record<string, string> => ({
  KAFKA_BROKERS: kafka.bootstrapServers.join(','),
  SCHEMA_REGISTRY_URL: registry.url,
});
