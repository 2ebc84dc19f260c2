import { ConnectApi, type Log, type SchemaRegistry } from '@millrace/messaging';
import type { DatabaseSettings } from '../databases/database-settings.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import { Connectors } from '../sources/connectors.js';
import { KeptSlots } from '../sources/kept-slots.js';
import { sourcesOfPipelines, unread } from '../sources/source.js';
import { type SourceSnapshot, SourceWatermarks } from '../sources/source-watermarks.js';
import type { SourcesPort } from './sources.port.js';

export interface SourcesOptions {
  readonly pipelines: readonly Pipeline[];
  /** All that the environment names. */
  readonly databases: readonly DatabaseSettings[];
  readonly brokers: readonly string[];
  readonly connectUrl: string;
  readonly log: Log;
  /** Of the log that a slot holds back. Default 512 MB. */
  readonly lagAlarmBytes?: number;
  /** Told when a connector has begun to read everything anew, until it resolves; see `WatermarksOptions`. */
  onSnapshot?(database: string, snapshot: SourceSnapshot): Promise<void>;
}

/** The databases that pipelines read, or have read, while the process lives. */
export interface Sources extends SourcesPort {
  start(): void;
  /** Why changes do not come as they should; none while they do. */
  reasons(): string[];
  /** What nobody reads any more, and what it costs. */
  notes(): string[];
  close(): Promise<void>;
}

/** Watches the connectors of every source, how far each has come, and the slots that are kept where there is none. */
export function openSources(
  { pipelines, databases: named, brokers, connectUrl, log, lagAlarmBytes, onSnapshot }: SourcesOptions,
  databases: NamedDatabases,
  schemas: SchemaRegistry,
): Sources {
  const sources = sourcesOfPipelines(pipelines);
  const connect = new ConnectApi(connectUrl);
  const slots = { databases, log, ...(lagAlarmBytes !== undefined && { lagAlarmBytes }) };
  const connectors = new Connectors({ ...slots, connect, sources });
  const names = unread(named, pipelines)
    .filter(({ kind }) => kind === 'postgres')
    .map(({ name }) => name);
  const keptSlots = new KeptSlots({ ...slots, names });
  const watermarks = new SourceWatermarks({
    brokers,
    clientId: 'cdc-bridge',
    schemas,
    databases,
    sources,
    log,
    ...(onSnapshot && { onSnapshot }),
  });
  return {
    start() {
      connectors.start();
      watermarks.start();
      keptSlots.start();
    },
    reasons: () => [...connectors.reasons(), ...watermarks.reasons()],
    notes: () => keptSlots.notes(),
    alarms: (database) => connectors.status(database).alarms,
    caughtUp: (database, signal) => watermarks.caughtUp(database, signal),
    lagSeconds: (database) => watermarks.lagSeconds(database),
    requestSnapshot: (database, table) => connectors.requestSnapshot(database, table),
    async close() {
      await Promise.allSettled([connectors.close(), watermarks.close(), keptSlots.close()]);
    },
  };
}
