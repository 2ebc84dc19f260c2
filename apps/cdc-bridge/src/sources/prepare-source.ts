import { type ConnectApi, type ConnectorConfig, deployConnector, stopConnector } from '@millrace/messaging';
import type { TopicDeclaration } from '@millrace/schemas';
import type { Step } from '../databases/step.js';
import { connectorName } from '../names/bridge-names.js';
import { topicsOfSource } from './change-topics.js';
import { connectorDiff } from './connector-diff.js';
import { parseMongoConnectorUrl } from './connector-url.js';
import { mongoConnector } from './mongo.connector.js';
import { postgresConnector } from './postgres.connector.js';
import { PreparedMongo } from './prepared-mongo.js';
import { PreparedPostgres } from './prepared-postgres.js';
import type { DueSnapshot } from './snapshot-signal.js';
import type { PreparedSource } from './source.js';

/** What a source would need changed. */
export interface SourcePlan {
  readonly source: string;
  /** In the user's database. */
  readonly steps: readonly Step[];
  /** In the connector, a line for each setting; see `connectorDiff`. */
  readonly connector: readonly string[];
  /** The topics that the connector writes to, to be made before it runs. */
  readonly topics: readonly TopicDeclaration[];
}

export interface SourceDeps {
  readonly connect: ConnectApi;
  /** As Connect reaches it, up to and with `/apis/registry/v3`. */
  readonly registryUrl: string;
  /** Makes topics, and lets their subjects take any schema: after the database's changes, before the connector. */
  readonly applyTopics: (topics: readonly TopicDeclaration[]) => Promise<void>;
  readonly signal: AbortSignal;
}

type Prepared = PreparedPostgres | PreparedMongo;

/**
 * What `applySource` would do; changes nothing, and is empty where all is as wanted.
 * @throws SourceRefused naming every table that cannot be captured as it is
 */
export function planSource(source: PreparedSource, deps: SourceDeps): Promise<SourcePlan> {
  return withSource(source, async (prepared) => {
    await prepared.check();
    return await plan(prepared, source, deps);
  });
}

/**
 * Brings a source to what is captured of it: the database, then topics, then the connector, which runs when this
 * resolves; then snapshots of what is new to a connector that was there.
 * @param told called with the plan before anything is changed
 * @param beforeSnapshots called with what is read for the first time since it is captured
 * @throws SourceRefused, and Error where the connector does not come to run
 */
export async function applySource(
  source: PreparedSource,
  deps: SourceDeps,
  told: (plan: SourcePlan) => void,
  beforeSnapshots: (due: readonly DueSnapshot[]) => Promise<void> = async () => {},
): Promise<void> {
  await withSource(source, async (prepared) => {
    await prepared.check();
    await bring(prepared, source, deps, told, beforeSnapshots);
  });
}

/**
 * Releases what is captured beyond `source.captured`. It captures nothing, and what became of the tables that stay, or
 * of those that no `apply` has captured yet, refuses no pipeline its removal.
 * @returns whether anything stays captured; where nothing does, nothing is done: see `removeSource`
 */
export async function narrowSource(
  source: PreparedSource,
  deps: SourceDeps,
  told: (plan: SourcePlan) => void,
  beforeSnapshots: (due: readonly DueSnapshot[]) => Promise<void>,
): Promise<boolean> {
  const captured = await withSource(source, (prepared) => prepared.alreadyCaptured());
  if (captured.length === 0) return false;
  const left = { ...source, captured };
  await withSource(left, (prepared) => bring(prepared, left, deps, told, beforeSnapshots));
  return true;
}

/**
 * Undoes what was done for a source of which nothing is captured any more: its connector is stopped, and what was
 * changed in the user's tables or collections is changed back. The slot, and what following it again needs, stays.
 * @param told called with the steps before anything is changed
 * @param options.dropSlot also the slot, the connector with its place, and all that is left of the bridge there
 */
export async function removeSource(
  source: PreparedSource,
  deps: SourceDeps,
  told: (steps: readonly Step[]) => void,
  options: { readonly dropSlot: boolean },
): Promise<void> {
  const name = connectorName(source.name);
  const nothing = { ...source, captured: [] };
  await withSource(nothing, async (prepared) => {
    const released = await prepared.plan();
    told(options.dropSlot ? [...released, ...(await prepared.removal())] : released);
    const current = await deps.connect.config(name, deps.signal);
    if (current && options.dropSlot && source.kind === 'postgres') await dropSlot(deps, name, current);
    if (current) await stopConnector(deps.connect, name, deps.signal);
    await prepared.apply(released);
    if (!options.dropSlot) return;
    if (current) {
      await deps.connect.forgetOffsets(name, deps.signal);
      await deps.connect.remove(name, deps.signal);
    }
    await prepared.apply(await prepared.removal());
  });
}

/** By the connector itself: the owner's role has no right to, and the connector's password only Connect knows. */
async function dropSlot(
  { connect, signal }: SourceDeps,
  name: string,
  current: ConnectorConfig,
): Promise<void> {
  const { name: _, ...config } = current;
  await deployConnector(connect, name, { ...config, 'slot.drop.on.stop': 'true' }, signal);
}

async function bring(
  prepared: Prepared,
  source: PreparedSource,
  deps: SourceDeps,
  told: (plan: SourcePlan) => void,
  beforeSnapshots: (due: readonly DueSnapshot[]) => Promise<void>,
): Promise<void> {
  const planned = await plan(prepared, source, deps);
  told(planned);
  await prepared.apply(planned.steps);
  await deps.applyTopics(planned.topics);
  const name = connectorName(source.name);
  const deployed = await deployConnector(deps.connect, name, configOf(source, deps), deps.signal);
  await (deployed === 'created'
    ? prepared.settleDueSnapshots(beforeSnapshots)
    : prepared.signalDueSnapshots(beforeSnapshots));
}

async function plan(prepared: Prepared, source: PreparedSource, deps: SourceDeps): Promise<SourcePlan> {
  const current = await deps.connect.config(connectorName(source.name), deps.signal);
  const steps = await prepared.plan();
  return {
    source: source.name,
    steps,
    connector: connectorDiff(current, configOf(source, deps)),
    topics: topicsOfSource(source, databaseOf(source), await prepared.keyless()),
  };
}

/** The settings that a source's connector should have. */
export function configOf(
  { kind, name, captured, settings }: PreparedSource,
  { registryUrl }: Pick<SourceDeps, 'registryUrl'>,
): ConnectorConfig {
  const build = kind === 'postgres' ? postgresConnector : mongoConnector;
  return build(name, settings.connectorUrl, captured, registryUrl);
}

function databaseOf({ kind, settings }: PreparedSource): string {
  return kind === 'mongo' ? parseMongoConnectorUrl(settings.connectorUrl).database : '';
}

async function withSource<T>(source: PreparedSource, use: (prepared: Prepared) => Promise<T>): Promise<T> {
  const prepared = await (source.kind === 'postgres'
    ? PreparedPostgres.open(source)
    : PreparedMongo.open(source));
  try {
    return await use(prepared);
  } finally {
    await prepared.close();
  }
}
