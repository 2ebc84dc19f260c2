import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ConnectApi,
  type ConnectorStatus,
  ConnectRefusal,
  faultOf,
  isRunning,
  type Log,
} from '@millrace/messaging';
import type { Pool } from 'pg';
import type { NamedDatabases } from '../databases/named-databases.js';
import { connectorName, slotName } from '../names/bridge-names.js';
import { type ConnectorFault, connectorFault, describeFault } from './connector-fault.js';
import { tablesOfFault } from './fault-column.js';
import { collectionsOfFault } from './oversized-documents.js';
import { tablesOfLargeRows } from './oversized-rows.js';
import { isInSnapshot, LAG_ALARM_BYTES, readSlot, type SlotState, slotAlarm } from './replication-slot.js';
import {
  NEVER_FAILED,
  nextRestart,
  RESTARTS,
  type RestartPolicy,
  type RestartState,
} from './restart-schedule.js';
import { requestSnapshot } from './snapshot-requests.js';
import type { Source } from './source.js';

const POLL_MS = 2_000;
/** A connector may be without its slot for a moment, while it starts. */
const INACTIVE_MS = 30_000;

export interface ConnectorsOptions {
  readonly connect: ConnectApi;
  readonly databases: NamedDatabases;
  readonly sources: readonly Source[];
  readonly log: Log;
  /** Default 2,000 ms. */
  readonly pollMs?: number;
  readonly restarts?: RestartPolicy;
  /** Of the log that a slot holds back. Default 512 MB. */
  readonly lagAlarmBytes?: number;
  /** How long a connector that runs may be without its slot. Default 30,000 ms. */
  readonly inactiveMs?: number;
}

/** How a source's connector is, as it was last seen. */
export interface SourceStatus {
  readonly connector: string;
  /** `unknown` while Connect does not answer; `starting` where a task is not up yet. */
  readonly state: 'running' | 'failed' | 'stopped' | 'starting' | 'missing' | 'unknown';
  /** Also of one that runs again, where starting it again has not helped so far. */
  readonly fault?: ConnectorFault | undefined;
  /** Postgres only; null where there is none. */
  readonly slot?: SlotState | null | undefined;
  /** What a person should know, a sentence each. */
  readonly alarms: readonly string[];
}

interface Watched {
  readonly source: Source;
  restarts: RestartState;
  /** The last fault that the database was asked about. */
  named: ConnectorFault | undefined;
  /** The last fault that Connect showed. */
  fault: ConnectorFault | undefined;
  inactiveSince: number | undefined;
  status: SourceStatus;
}

/**
 * Watches the connectors of sources while the service runs, and starts failed tasks again after growing pauses. What
 * it reads of the databases needs no more than the bridge's own role. Close it.
 */
export class Connectors {
  readonly #options: ConnectorsOptions;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #closing = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ConnectorsOptions) {
    this.#options = options;
    this.#watched = new Map(options.sources.map((source) => [source.name, beginning(source)]));
  }

  start(): void {
    this.#running = Promise.all([...this.#watched.values()].map((watched) => this.#watch(watched)));
  }

  /** @throws Error for a database that is no source */
  status(database: string): SourceStatus {
    return this.#find(database).status;
  }

  /** Why changes do not flow as they should, one sentence each; none when they do. */
  reasons(): string[] {
    return [...this.#watched.values()].flatMap(({ status }) => status.alarms);
  }

  /**
   * Asks for the rows that a table or collection has now, while changes flow on.
   * @param table `schema.table`, or the name of a collection
   */
  async requestSnapshot(database: string, table: string): Promise<void> {
    await requestSnapshot(this.#options.databases, this.#find(database).source, table);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  #find(database: string): Watched {
    const watched = this.#watched.get(database);
    if (!watched) throw new Error(`${database} is no source of a pipeline`);
    return watched;
  }

  async #watch(watched: Watched): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const before = watched.status.alarms;
      watched.status = await this.#look(watched);
      this.#tell(watched.status, before);
      await sleep(this.#options.pollMs ?? POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #tell({ connector, alarms }: SourceStatus, before: readonly string[]): void {
    for (const alarm of alarms.filter((each) => !before.includes(each)))
      this.#options.log.warn(alarm, { connector });
  }

  async #look(watched: Watched): Promise<SourceStatus> {
    const { source } = watched;
    const connector = connectorName(source.name);
    const slot = await this.#slot(source);
    try {
      const seen = await this.#options.connect.status(connector, this.#closing.signal);
      const isLasting = await this.#restart(watched, seen);
      const shown = await this.#fault(watched, seen);
      watched.fault = shown ?? watched.fault;
      // It runs between two failures, for as long as a snapshot takes to come to the same row.
      const fault = shown ?? (isLasting ? watched.fault : undefined);
      const state = stateOf(seen);
      const isUnread = await this.#isUnread(watched, slot, state);
      const alarms = [
        ...(fault ? [describeFault(connector, fault, isLasting)] : []),
        ...(state === 'stopped' ? [`the connector ${connector} is stopped`] : []),
        ...this.#slotAlarms(watched, slot, state),
        ...(isUnread
          ? [
              `nobody reads from the replication slot ${slotName(source.name)}, although Connect says that its connector runs`,
            ]
          : []),
      ];
      return { connector, state, fault, slot, alarms };
    } catch (error) {
      const isMissing = error instanceof ConnectRefusal && error.status === 404;
      const why = error instanceof Error ? error.message : String(error);
      const alarm = isMissing
        ? `Connect knows no connector ${connector}: it has only just started, or pipelines apply has still to make it`
        : `Connect does not answer: ${why}`;
      const state = isMissing ? 'missing' : 'unknown';
      return { connector, state, slot, alarms: [alarm, ...this.#slotAlarms(watched, slot, state)] };
    }
  }

  /** A trace may name no more than a column, or nothing: the database knows whose it is. It is asked once for each. */
  async #fault(watched: Watched, seen: ConnectorStatus): Promise<ConnectorFault | undefined> {
    const { kind, name, captured } = watched.source;
    const names = captured.map((table) => table.name);
    const database = kind === 'mongo' ? this.#options.databases.mongo(name).db.databaseName : undefined;
    const fault = connectorFault(seen, names, database);
    if (!fault || fault.table !== null) return fault;
    if (watched.named?.text === fault.text) return watched.named;
    try {
      const table = await this.#tableOf(watched.source, faultOf(seen) ?? '', names);
      watched.named = { ...fault, table };
      return watched.named;
    } catch {
      return fault; // the database does not answer now: its pipelines tell of that
    }
  }

  /** Null where it is not known. */
  async #tableOf({ kind, name }: Source, text: string, names: readonly string[]): Promise<string | null> {
    const { databases } = this.#options;
    const tables =
      kind === 'postgres'
        ? await tablesOfPostgres(databases.postgres(name).pool, text, names)
        : await collectionsOfFault(databases.mongo(name).db, text, names);
    return tables.join(' or ') || null;
  }

  /** Whether starting again has failed too often to be believed in. */
  async #restart(watched: Watched, seen: ConnectorStatus): Promise<boolean> {
    const policy = this.#options.restarts ?? RESTARTS;
    const { state, restart } = nextRestart(watched.restarts, seen, performance.now(), policy);
    watched.restarts = state;
    if (restart) {
      const connector = connectorName(watched.source.name);
      this.#options.log.warn('a failed connector is started again', { connector, restarts: state.restarts });
      await this.#options.connect.restartFailed(connector, this.#closing.signal);
    }
    return state.restarts >= policy.lastingAfter;
  }

  /** Undefined where it does not apply, or the database does not answer: its pipelines tell of that. */
  async #slot({ kind, name }: Source): Promise<SlotState | null | undefined> {
    if (kind !== 'postgres') return undefined;
    try {
      return await readSlot(this.#options.databases.postgres(name).pool, slotName(name));
    } catch {
      return undefined;
    }
  }

  #slotAlarms(
    { source }: Watched,
    slot: SlotState | null | undefined,
    state: SourceStatus['state'],
  ): string[] {
    // A connector that is not there yet has still to make it.
    if (slot === undefined || (slot === null && (state === 'starting' || state === 'missing'))) return [];
    const alarm = slotAlarm(slotName(source.name), slot, this.#options.lagAlarmBytes ?? LAG_ALARM_BYTES);
    return alarm ? [alarm] : [];
  }

  /** Whether its connector runs, and has left a slot alone for long: not only until a snapshot ends and streaming begins. */
  async #isUnread(
    watched: Watched,
    slot: SlotState | null | undefined,
    state: SourceStatus['state'],
  ): Promise<boolean> {
    const isIdle = state === 'running' && slot?.active === false;
    watched.inactiveSince = isIdle ? (watched.inactiveSince ?? performance.now()) : undefined;
    const since = watched.inactiveSince ?? Number.POSITIVE_INFINITY;
    if (performance.now() - since <= (this.#options.inactiveMs ?? INACTIVE_MS)) return false;
    const { connect } = this.#options;
    const offsets = await connect
      .offsets(connectorName(watched.source.name), this.#closing.signal)
      .catch(() => undefined); // that it does not answer is told of where it is asked for more than this
    if (offsets && !isInSnapshot(offsets)) return true;
    watched.inactiveSince = performance.now(); // it is asked again when as long has passed
    return false;
  }
}

async function tablesOfPostgres(pool: Pool, text: string, names: readonly string[]): Promise<string[]> {
  return [...(await tablesOfFault(pool, text, names)), ...(await tablesOfLargeRows(pool, text, names))];
}

function beginning(source: Source): Watched {
  const status = { connector: connectorName(source.name), state: 'unknown', alarms: [] } as const;
  return {
    source,
    restarts: NEVER_FAILED,
    named: undefined,
    fault: undefined,
    inactiveSince: undefined,
    status,
  };
}

function stateOf(status: ConnectorStatus): SourceStatus['state'] {
  const states = [status.connector, ...status.tasks].map(({ state }) => state);
  if (states.includes('FAILED')) return 'failed';
  if (status.connector.state === 'STOPPED' || status.connector.state === 'PAUSED') return 'stopped';
  return isRunning(status) ? 'running' : 'starting';
}
