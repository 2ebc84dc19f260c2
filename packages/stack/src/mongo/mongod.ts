import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { infraFile, type NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { HOST } from '../settings/endpoints.js';
import { portOf, required } from '../settings/stack-env.js';
import { withMongo } from './mongo-client.js';

/** The MongoDB server: a replica set of one, so that it has transactions and change streams. */
export const mongod = (context: NativeContext): Part => {
  const { env, state } = context;
  const port = portOf(env, 'MONGO_PORT');
  return part(context.records, {
    name: 'mongod',
    log: state.log('mongod'),
    ports: [port],
    address: `${HOST}:${port}`,
    healthTimeoutMs: 120_000,
    stopTimeoutMs: 30_000,
    leftover: /DBPathInUse/,
    check: () =>
      withMongo(`mongodb://${HOST}:${port}/?directConnection=true`, async (client) => {
        await client.db('admin').command({ ping: 1 });
      }),
    command: async () => {
      const { mongod: program } = await context.runtimes();
      const dbpath = join(state.data, 'mongod');
      await mkdir(dbpath, { recursive: true, mode: 0o700 });
      const keyFile = join(state.conf, 'mongod.key');
      await writeFile(keyFile, required(env, 'MONGO_REPLICA_KEY'), { mode: 0o600 });
      return {
        argv: [
          program,
          ...['--config', infraFile(context, 'mongo', 'mongod.conf')],
          ...mongodArguments({ dbpath, keyFile, port, replicaSet: required(env, 'MONGO_REPLICA_SET') }),
        ],
      };
    },
  });
};

const mongodArguments = (at: {
  dbpath: string;
  keyFile: string;
  port: number;
  replicaSet: string;
}): string[] => [
  ...['--dbpath', at.dbpath],
  ...['--port', String(at.port)],
  ...['--bind_ip', HOST],
  '--nounixsocket',
  ...['--replSet', at.replicaSet],
  '--auth',
  ...['--keyFile', at.keyFile],
];
