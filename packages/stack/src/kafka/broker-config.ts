import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { infraFile, type NativeContext } from '../native-context.js';
import { BROKER_IDS, HOST } from '../settings/endpoints.js';
import { formatProperties } from '../settings/properties.js';
import { portOf } from '../settings/stack-env.js';

export const brokerName = (id: number): string => `kafka-${id}`;

/** Writes what the brokers share, then this node's own lines (a later line wins), and returns the file's path. */
export const writeBrokerConfig = async (
  context: NativeContext,
  id: number,
  folders: readonly string[],
  file: string,
): Promise<string> => {
  const { env, state } = context;
  const at = (name: string) => `${HOST}:${portOf(env, name)}`;
  const client = `PLAINTEXT://${at(`KAFKA_${id}_PORT`)}`;
  const voters = BROKER_IDS.map((voter) => `${voter}@${at(`KAFKA_${voter}_CONTROLLER_PORT`)}`);
  const own = formatProperties({
    'node.id': id,
    listeners: `${client},CONTROLLER://${at(`KAFKA_${id}_CONTROLLER_PORT`)}`,
    'advertised.listeners': client,
    'controller.quorum.voters': voters.join(','),
    'log.dirs': folders.join(','),
    // All three stop together here: the last would wait minutes for the quorum to take over its partitions.
    'controlled.shutdown.enable': 'false',
  });
  const path = join(state.conf, file);
  await writeFile(
    path,
    `${await readFile(infraFile(context, 'kafka', 'broker.properties'), 'utf8')}\n${own}`,
  );
  return path;
};
