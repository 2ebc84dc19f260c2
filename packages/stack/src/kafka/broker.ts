import { join } from 'node:path';
import { JVM_STOP_MS, jvm } from '../jvm.js';
import { infraFile, type NativeContext } from '../native-context.js';
import { type Part, part } from '../processes/part.js';
import { HOST } from '../settings/endpoints.js';
import { portOf } from '../settings/stack-env.js';
import { brokerName, writeBrokerConfig } from './broker-config.js';
import { formatStorage } from './format-storage.js';
import { aliveBrokers } from './kafka-ping.js';

/** One of three combined KRaft nodes, broker and controller. */
export const broker = (context: NativeContext, id: number): Part => {
  const { env, state } = context;
  const name = brokerName(id);
  const port = portOf(env, `KAFKA_${id}_PORT`);
  return part(context.records, {
    name,
    log: state.log(name),
    ports: [port, portOf(env, `KAFKA_${id}_CONTROLLER_PORT`)],
    address: `${HOST}:${port}`,
    healthTimeoutMs: 120_000,
    stopTimeoutMs: JVM_STOP_MS,
    check: async (signal) => {
      const alive = await aliveBrokers(port, signal);
      if (!alive.includes(id)) throw new Error(`broker ${id} has not joined the cluster`);
    },
    command: async (signal) => {
      const folder = join(state.data, name);
      await formatStorage(context, signal);
      const config = await writeBrokerConfig(context, id, [folder], `${name}.properties`);
      const { java, kafkaClasspath } = await context.runtimes();
      return {
        argv: jvm({
          java,
          // With half of it, seven hundred partitions took half of the broker's time for collecting garbage.
          heapMb: 320,
          jit: context.jit,
          tmp: state.tmp,
          archive: { folder: context.archives, of: 'kafka', write: id === 1 },
          options: [`-Dlog4j2.configurationFile=${infraFile(context, 'kafka', 'log4j2.properties')}`],
          program: ['-cp', kafkaClasspath, 'kafka.Kafka', config],
        }),
      };
    },
  });
};
