import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { type Env, required } from '../settings/stack-env.js';

interface Role {
  readonly account: string;
  readonly attributes: string;
}

const ROLES: readonly Role[] = [
  { account: 'REGISTRY_DATABASE', attributes: 'LOGIN' },
  { account: 'ORDERS_OWNER', attributes: 'LOGIN' },
  { account: 'ORDERS_APP', attributes: 'LOGIN' },
  { account: 'ORDERS_CDC', attributes: 'LOGIN REPLICATION' },
  { account: 'ORDERS_BRIDGE', attributes: 'LOGIN' },
];

const DATABASES = [
  { name: 'REGISTRY_DATABASE', owner: 'REGISTRY_DATABASE_USER', others: [] },
  {
    name: 'ORDERS_DATABASE',
    owner: 'ORDERS_OWNER_USER',
    others: ['ORDERS_APP_USER', 'ORDERS_CDC_USER', 'ORDERS_BRIDGE_USER'],
  },
] as const;

/**
 * Roles and databases with the passwords of `infra/stack.env`; repeatable. None of the roles is a superuser, each
 * may only connect to its own database, and tables are granted by the migrations of the service that owns them.
 */
export const provisionPostgres = async (adminUrl: string, env: Env, signal: AbortSignal): Promise<void> => {
  const client = new Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    for (const role of ROLES) {
      signal.throwIfAborted();
      await createRole(client, role, env);
    }
    for (const database of DATABASES) {
      signal.throwIfAborted();
      const name = required(env, database.name);
      const owner = required(env, database.owner);
      await createDatabase(client, name, owner);
      await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${escapeIdentifier(name)} FROM PUBLIC`);
      for (const other of [database.owner, ...database.others]) {
        const role = escapeIdentifier(required(env, other));
        await client.query(`GRANT CONNECT ON DATABASE ${escapeIdentifier(name)} TO ${role}`);
      }
    }
  } finally {
    await client.end();
  }
};

const createRole = async (client: Client, { account, attributes }: Role, env: Env): Promise<void> => {
  const user = required(env, `${account}_USER`);
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const password = escapeLiteral(required(env, `${account}_PASSWORD`));
  await client.query(`${verb} ROLE ${escapeIdentifier(user)} NOSUPERUSER ${attributes} PASSWORD ${password}`);
};

const createDatabase = async (client: Client, name: string, owner: string): Promise<void> => {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  // `template0` and the file copy: a fifth of the time, and no other session can be in the template's way.
  if (rowCount === 0) {
    await client.query(
      `CREATE DATABASE ${escapeIdentifier(name)} OWNER ${escapeIdentifier(owner)} TEMPLATE template0`,
    );
  }
};
