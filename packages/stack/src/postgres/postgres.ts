import { join } from 'node:path';
import { Client } from 'pg';
import type { NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { proportionalBytes } from '../processes/resident-bytes.js';
import { HOST } from '../settings/endpoints.js';
import { portOf } from '../settings/stack-env.js';
import { prepareDataFolder } from './data-folder.js';
import { postgresHome } from './unprivileged.js';

/** The Postgres server. */
export const postgres = (context: NativeContext, adminUrl: string): Part => {
  const { env, state } = context;
  const port = portOf(env, 'POSTGRES_PORT');
  return part(context.records, {
    name: 'postgres',
    log: state.log('postgres'),
    ports: [port],
    address: `${HOST}:${port}`,
    healthTimeoutMs: 120_000,
    // Fast shutdown: ends sessions, then writes a checkpoint.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 30_000,
    // The backends of a server that was killed hold its shared memory a moment longer.
    leftover: /postmaster\.pid|pre-existing shared memory block/,
    memory: proportionalBytes,
    check: () => answers(adminUrl),
    command: async (signal) => {
      const { postgresBin } = await context.runtimes();
      const home = await postgresHome(postgresBin, join(state.data, 'postgres'));
      await prepareDataFolder(context, home, signal);
      const settings = [`port=${port}`, `listen_addresses=${HOST}`, 'unix_socket_directories='];
      const argv = [
        ...home.prefix,
        join(home.bin, 'postgres'),
        '-D',
        home.data,
        ...settings.flatMap((s) => ['-c', s]),
      ];
      return { argv: argv as [string, ...string[]], cwd: home.data };
    },
  });
};

const answers = async (url: string): Promise<void> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => {});
  }
};
