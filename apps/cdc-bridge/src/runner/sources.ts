import { ConnectApi, type Log, type SchemaRegistry } from '@millrace/messaging';
import type { NamedDatabases } from '../databases/named-databases.js';
import type { Pipeline } from '../pipelines/pipeline.schema.js';
import { Connectors } from '../sources/connectors.js';
import { sourcesOfPipelines } from '../sources/source.js';
import { type SourceSnapshot, SourceWatermarks } from '../sources/source-watermarks.js';
import type { SourcesPort } from './sources.port.js';

export interface SourcesOptions {
  readonly pipelines: readonly Pipeline[];
  readonly brokers: readonly string[];
  readonly connectUrl: string;
  readonly log: Log;
  /** Told when a connector has begun to read everything anew, until it resolves; see `WatermarksOptions`. */
  onSnapshot?(database: string, snapshot: SourceSnapshot): Promise<void>;
}

/** The databases that pipelines read, while the process lives. */
export interface Sources extends SourcesPort {
  start(): void;
  /** Why changes do not come as they should; none while they do. */
  reasons(): string[];
  close(): Promise<void>;
}

/** Watches the connectors of every source, and how far each has come. */
export function openSources(
  { pipelines, brokers, connectUrl, log, onSnapshot }: SourcesOptions,
  databases: NamedDatabases,
  schemas: SchemaRegistry,
): Sources {
  const sources = sourcesOfPipelines(pipelines);
  const connect = new ConnectApi(connectUrl);
  const connectors = new Connectors({ connect, databases, sources, log });
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
    },
    reasons: () => [...connectors.reasons(), ...watermarks.reasons()],
    alarms: (database) => connectors.status(database).alarms,
    caughtUp: (database, signal) => watermarks.caughtUp(database, signal),
    lagSeconds: (database) => watermarks.lagSeconds(database),
    requestSnapshot: (database, table) => connectors.requestSnapshot(database, table),
    async close() {
      await Promise.allSettled([connectors.close(), watermarks.close()]);
    },
  };
}
