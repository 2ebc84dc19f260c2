import { access, copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jvm } from '../jvm.js';
import type { NativeContext } from '../native-context.js';
import { runOnce } from '../processes/run-once.js';
import { BROKER_IDS } from '../settings/endpoints.js';
import { required } from '../settings/stack-env.js';
import { brokerName, writeBrokerConfig } from './broker-config.js';

// One run for all brokers of a stack, whichever of them asks first.
const underWay = new Map<string, Promise<void>>();

/** Formats the storage of all brokers that have none, in one JVM: starting it is nearly all of the work. */
export const formatStorage = (context: NativeContext, signal: AbortSignal): Promise<void> => {
  const key = context.state.data;
  const run = underWay.get(key) ?? format(context, signal).finally(() => underWay.delete(key));
  underWay.set(key, run);
  return run;
};

const format = async (context: NativeContext, signal: AbortSignal): Promise<void> => {
  const folders = BROKER_IDS.map((id) => ({ id, folder: join(context.state.data, brokerName(id)) }));
  const formatted = await Promise.all(folders.map(({ folder }) => exists(join(folder, META))));
  const missing = folders
    .filter((_, i) => !formatted[i])
    .map((each) => ({ ...each, fresh: `${each.folder}.new` }));
  const [first, ...others] = missing;
  if (!first) return;
  for (const { folder, fresh } of missing) {
    for (const path of [folder, fresh]) await rm(path, { recursive: true, force: true });
  }
  await runStorageTool(
    context,
    first.id,
    missing.map(({ fresh }) => fresh),
    signal,
  );
  for (const { id, fresh } of others) await makeAnotherNodes(fresh, id, first.fresh);
  for (const { folder, fresh } of missing) await rename(fresh, folder);
};

const META = 'meta.properties';

const runStorageTool = async (
  context: NativeContext,
  id: number,
  folders: readonly string[],
  signal: AbortSignal,
) => {
  const config = await writeBrokerConfig(context, id, folders, 'kafka-format.properties');
  const { java, kafkaClasspath } = await context.runtimes();
  const clusterId = required(context.env, 'KAFKA_CLUSTER_ID');
  const argv = jvm({
    java,
    heapMb: 64,
    jit: 'quick',
    tmp: context.state.tmp,
    archive: { folder: context.archives, of: 'kafka', write: false },
    program: ['-cp', kafkaClasspath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config],
  });
  const name = 'kafka-format';
  await runOnce(context.records, { name, log: context.state.log(name), timeoutMs: 60_000, argv }, signal);
};

/**
 * The tool formats several folders of one node, each with an id of its own; the node's number is all that tells
 * them apart from folders of several nodes. What the first metadata log begins with is the same on each.
 */
const makeAnotherNodes = async (folder: string, id: number, first: string): Promise<void> => {
  const meta = join(folder, META);
  await writeFile(meta, (await readFile(meta, 'utf8')).replace(/^node\.id=.*$/m, `node.id=${id}`));
  await copyFile(join(first, BOOTSTRAP), join(folder, BOOTSTRAP));
};

const BOOTSTRAP = 'bootstrap.checkpoint';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
