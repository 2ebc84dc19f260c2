import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectOk } from '../http.js';
import { JVM_STOP_MS, jvm } from '../jvm.js';
import { infraFile, type NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { HOST, nativeHosts } from '../settings/endpoints.js';
import { formatProperties, workerProperties } from '../settings/properties.js';
import { type Env, portOf, readEnvFile, required } from '../settings/stack-env.js';

/** Kafka Connect in distributed mode, one worker, with Debezium's connectors. */
export const connect = (context: NativeContext, url: string): Part => {
  const { env, state } = context;
  const port = portOf(env, 'CONNECT_PORT');
  return part(context.records, {
    name: 'connect',
    log: state.log('connect'),
    ports: [port],
    address: url,
    healthTimeoutMs: 120_000,
    stopTimeoutMs: JVM_STOP_MS,
    check: (signal) => expectOk(`${url}/health`, signal),
    command: async () => {
      const { java, connectClasspath, connectPluginPath } = await context.runtimes();
      const shared = await readEnvFile(infraFile(context, 'connect', 'worker.env'));
      const config = join(state.conf, 'connect.properties');
      const own = {
        'bootstrap.servers': nativeHosts(env).kafka.join(','),
        listeners: url,
        'rest.advertised.host.name': HOST,
        'rest.advertised.port': port,
        'plugin.path': connectPluginPath,
      };
      await writeFile(config, formatProperties({ ...workerProperties(shared), ...own }), { mode: 0o600 });
      return {
        argv: jvm({
          java,
          // A record of 33 MB stands in it some five times on its way.
          heapMb: 384,
          jit: context.jit,
          tmp: state.tmp,
          archive: { folder: context.archives, of: 'connect', write: true },
          options: [`-Dlog4j2.configurationFile=${infraFile(context, 'kafka', 'log4j2.properties')}`],
          program: ['-cp', connectClasspath, 'org.apache.kafka.connect.cli.ConnectDistributed', config],
        }),
        env: connectorVariables(env),
      };
    },
  });
};

/** What the connectors in `infra/connectors` name as `${env:…}`. */
const connectorVariables = (env: Env): Record<string, string> => {
  const names = ['ORDERS', 'INVENTORY'].flatMap((service) =>
    ['DATABASE', 'CDC_USER', 'CDC_PASSWORD'].map((part) => `${service}_${part}`),
  );
  return {
    ...Object.fromEntries(
      [...names, 'POSTGRES_PORT', 'MONGO_PORT', 'MONGO_REPLICA_SET'].map((name) => [
        name,
        required(env, name),
      ]),
    ),
    POSTGRES_HOST: HOST,
    MONGO_HOST: HOST,
  };
};
