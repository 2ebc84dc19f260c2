import { join } from 'node:path';
import { expectOk } from '../http.js';
import { JVM_STOP_MS, jvm } from '../jvm.js';
import { infraFile, type NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { HOST } from '../settings/endpoints.js';
import { portOf, readEnvFile, required } from '../settings/stack-env.js';

/** Apicurio Registry, its schemas in Postgres. `url` is its Confluent-compatible API. */
export const registry = (context: NativeContext, url: string): Part => {
  const { env, state } = context;
  const port = portOf(env, 'REGISTRY_PORT');
  const managementPort = portOf(env, 'REGISTRY_MANAGEMENT_PORT');
  return part(context.records, {
    name: 'registry',
    log: state.log('registry'),
    ports: [port, managementPort],
    address: url,
    healthTimeoutMs: 120_000,
    stopTimeoutMs: JVM_STOP_MS,
    check: (signal) => expectOk(`${url}/subjects`, signal),
    command: async () => {
      const { java, registryDir } = await context.runtimes();
      const database = `${HOST}:${portOf(env, 'POSTGRES_PORT')}/${required(env, 'REGISTRY_DATABASE')}`;
      return {
        argv: jvm({
          java,
          heapMb: 192,
          jit: context.jit,
          tmp: state.tmp,
          archive: { folder: context.archives, of: 'registry', write: true },
          program: ['-jar', join(registryDir, 'quarkus-run.jar')],
        }),
        cwd: registryDir,
        env: {
          ...(await readEnvFile(infraFile(context, 'registry', 'registry.env'))),
          QUARKUS_HTTP_HOST: HOST,
          QUARKUS_HTTP_PORT: String(port),
          QUARKUS_MANAGEMENT_HOST: HOST,
          QUARKUS_MANAGEMENT_PORT: String(managementPort),
          APICURIO_DATASOURCE_URL: `jdbc:postgresql://${database}`,
          APICURIO_DATASOURCE_USERNAME: required(env, 'REGISTRY_DATABASE_USER'),
          APICURIO_DATASOURCE_PASSWORD: required(env, 'REGISTRY_DATABASE_PASSWORD'),
        },
      };
    },
  });
};
