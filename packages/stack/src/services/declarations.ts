import type { StackEndpoints } from '../settings/endpoints.js';

type Infrastructure = Pick<StackEndpoints, 'kafka' | 'registry' | 'connect' | 'databases'>;

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
    /** What must be there before it: the databases alone, or also brokers, registry, Connect and all other migrations. */
    readonly needs: 'databases' | 'everything';
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
      needs: 'databases',
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
      needs: 'databases',
      env: ({ databases }) => ({ MONGODB_URL: databases.inventory.owner }),
    },
    env: (at) => ({ ...messaging(at), MONGODB_URL: at.databases.inventory.app }),
  },
  {
    name: 'cdc-bridge',
    command: [...NODE_OPTIONS, 'apps/cdc-bridge/dist/main.js'],
    port: 'CDC_BRIDGE_PORT',
    migration: {
      script: 'apps/cdc-bridge/dist/prepare.js',
      needs: 'everything',
      env: (at) => ({
        ...bridge(at),
        CONNECT_REGISTRY_URL: new URL('/apis/registry/v3', at.registry.url).toString(),
        POSTGRES_ORDERS_OWNER_URL: at.databases.orders.owner,
        POSTGRES_ORDERS_CONNECTOR_URL: forConnect(at.databases.orders.cdc, 'ORDERS_CDC_PASSWORD'),
        MONGO_INVENTORY_OWNER_URL: at.databases.inventory.owner,
        MONGO_INVENTORY_CONNECTOR_URL: forConnect(at.databases.inventory.cdc, 'INVENTORY_CDC_PASSWORD'),
      }),
    },
    env: (at) => bridge(at),
  },
];

const messaging = ({ kafka, registry }: Infrastructure): Record<string, string> => ({
  KAFKA_BROKERS: kafka.bootstrapServers.join(','),
  SCHEMA_REGISTRY_URL: registry.url,
});

const bridge = (at: Infrastructure): Record<string, string> => ({
  ...messaging(at),
  CONNECT_URL: at.connect.url,
  POSTGRES_ORDERS_URL: at.databases.orders.bridge,
  MONGO_INVENTORY_URL: at.databases.inventory.bridge,
});

/** With a reference in the place of the password: Connect keeps its connectors' settings where many can read them. */
const forConnect = (url: string, variable: string): string =>
  url.replace(/(?<=:\/\/[^:@/]+:)[^@/]+(?=@)/, () => `\${env:${variable}}`);
