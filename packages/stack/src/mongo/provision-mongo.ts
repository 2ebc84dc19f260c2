import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoServerError } from 'mongodb';
import { type Env, required } from '../settings/stack-env.js';
import { withMongo } from './mongo-client.js';

const AUTHENTICATION_FAILED = 18;
const NOT_YET_INITIALIZED = 94;
const INVALID_REPLICA_SET_CONFIG = 93;
const USER_NOT_FOUND = 11;
const UNAUTHORIZED = 13;
const ALREADY_INITIALIZED = 23;

const USERS = [
  { account: 'INVENTORY_OWNER', role: 'dbOwner', databases: [''] },
  { account: 'INVENTORY_APP', role: 'readWrite', databases: [''] },
  { account: 'INVENTORY_CDC', role: 'read', databases: [''] },
  // The bridge keeps its own collections in a database beside the service's.
  { account: 'INVENTORY_BRIDGE', role: 'readWrite', databases: ['', '_bridge'] },
] as const;

/**
 * The replica set, its administrator and the users of `infra/stack.env`; repeatable.
 * @param host `host:port` by which the server and all its clients reach it.
 */
export const provisionMongo = async (host: string, env: Env, signal: AbortSignal): Promise<void> => {
  const direct = `mongodb://${host}/?directConnection=true`;
  const admin = `mongodb://${userInfo(env, 'MONGO_ADMIN')}@${host}/?authSource=admin&directConnection=true`;
  const replicaSet = required(env, 'MONGO_REPLICA_SET');
  if (await hasAdministrator(admin)) {
    await withMongo(admin, (client) => initiateReplicaSet(client.db('admin'), replicaSet, host, signal));
  } else {
    // Until there is a user, MongoDB lets this machine in without one ("localhost exception").
    await withMongo(direct, async (client) => {
      await initiateReplicaSet(client.db('admin'), replicaSet, host, signal);
      await createUser(client.db('admin'), env, 'MONGO_ADMIN', [{ role: 'root', db: 'admin' }]);
    });
  }
  await withMongo(admin, async (client) => {
    const db = required(env, 'INVENTORY_DATABASE');
    for (const { account, role, databases } of USERS) {
      const roles = databases.map((suffix) => ({ role, db: `${db}${suffix}` }));
      await putUser(client.db('admin'), env, account, roles);
    }
  });
};

type Roles = readonly { readonly role: string; readonly db: string }[];

const userInfo = (env: Env, account: string): string =>
  ['USER', 'PASSWORD'].map((part) => encodeURIComponent(required(env, `${account}_${part}`))).join(':');

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof MongoServerError && error.code === code;

const hasAdministrator = (url: string): Promise<boolean> =>
  withMongo(url, async (client) => {
    try {
      await client.db('admin').command({ connectionStatus: 1 });
      return true;
    } catch (error) {
      if (hasCode(error, AUTHENTICATION_FAILED)) return false;
      throw error;
    }
  });

/** Makes `host` the only member, also where the data was written under another port, and waits for the primary. */
const initiateReplicaSet = async (
  admin: Db,
  _id: string,
  host: string,
  signal: AbortSignal,
): Promise<void> => {
  try {
    const { config } = await admin.command({ replSetGetConfig: 1 });
    if (config.members[0].host !== host) {
      const moved = { ...config, version: config.version + 1, members: [{ ...config.members[0], host }] };
      await admin.command({ replSetReconfig: moved, force: true });
    }
  } catch (error) {
    if (!isUninitiated(error)) throw error;
    await initiate(admin, { _id, members: [{ _id: 0, host }] });
  }
  await untilPrimary(admin, signal);
};

/** Does nothing where a run that was killed before it made the first user has done it. */
const initiate = async (admin: Db, config: object): Promise<void> => {
  try {
    await admin.command({ replSetInitiate: config });
  } catch (error) {
    if (!hasCode(error, ALREADY_INITIALIZED)) throw error;
  }
};

// Before the first user, the configuration may be written but not read.
const isUninitiated = (error: unknown): boolean =>
  hasCode(error, NOT_YET_INITIALIZED) ||
  hasCode(error, INVALID_REPLICA_SET_CONFIG) ||
  hasCode(error, UNAUTHORIZED);

const untilPrimary = async (admin: Db, signal: AbortSignal): Promise<void> => {
  for (let attempt = 0; attempt < 300; attempt++) {
    if ((await admin.command({ hello: 1 })).isWritablePrimary) return;
    await sleep(100, undefined, { signal });
  }
  throw new Error('MongoDB has not become primary within 30 s');
};

const createUser = async (admin: Db, env: Env, account: string, roles: Roles): Promise<void> => {
  const [user, pwd] = [required(env, `${account}_USER`), required(env, `${account}_PASSWORD`)];
  await admin.command({ createUser: user, pwd, roles });
};

const putUser = async (admin: Db, env: Env, account: string, roles: Roles): Promise<void> => {
  const [user, pwd] = [required(env, `${account}_USER`), required(env, `${account}_PASSWORD`)];
  try {
    await admin.command({ updateUser: user, pwd });
    // Added to what it has: a database's owner may have granted it more.
    await admin.command({ grantRolesToUser: user, roles });
  } catch (error) {
    if (!hasCode(error, USER_NOT_FOUND)) throw error;
    await createUser(admin, env, account, roles);
  }
};
