import type { SchemaRegistry } from '@millrace/messaging';
import type { CheckpointStore } from '../checkpoints/checkpoint.js';
import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { PostgresCheckpoints, postgresCheckpointStore } from '../checkpoints/postgres.checkpoints.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import { openRoute } from '../mapping/open-route.js';
import type { Route } from '../mapping/route.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { OneWayPipeline } from '../pipelines/pipeline.schema.js';
import { tableNameOf } from '../postgres/identifier.js';
import { type Column, readColumns } from '../postgres/table-columns.js';
import { MongoSink } from '../sinks/mongo.sink.js';
import { PostgresSink } from '../sinks/postgres.sink.js';
import type { Sink } from '../sinks/sink.js';

/** The two ends of a one-way pipeline. */
export interface OneWayParts {
  readonly route: Route;
  readonly sink: Sink;
}

/**
 * Opens both ends: reads the catalogues of the databases.
 * @throws Error that names what is missing; what the databases throw while they are away
 */
export async function openOneWay(
  pipeline: OneWayPipeline,
  databases: NamedDatabases,
  registry: SchemaRegistry,
): Promise<OneWayParts> {
  const route = await openRoute(pipeline, databases, registry);
  return { route, sink: await openSink(route, databases) };
}

async function openSink({ pipeline, columns }: Route, databases: NamedDatabases): Promise<Sink> {
  if ('rename' in pipeline) {
    const { client, db, own } = databases.mongo(pipeline.to.mongo);
    return MongoSink.open(client, new MongoCheckpoints(own), db, pipeline.to.collection);
  }
  const { pool } = databases.postgres(pipeline.to.postgres);
  return PostgresSink.open(
    pool,
    new PostgresCheckpoints(OWN_SCHEMA),
    tableNameOf(pipeline.to.table),
    columns,
  );
}

/** Reads the columns of the table that a pipeline writes to, as they are by then; undefined of a collection. */
export function targetColumns(
  pipeline: OneWayPipeline,
  databases: NamedDatabases,
): (() => Promise<Column[]>) | undefined {
  if ('rename' in pipeline) return undefined;
  const { pool } = databases.postgres(pipeline.to.postgres);
  return () => readColumns(pool, tableNameOf(pipeline.to.table));
}

/** The checkpoints of a one-way pipeline, in the database that it writes to. */
export function checkpointsOf(pipeline: OneWayPipeline, databases: NamedDatabases): CheckpointStore {
  if ('rename' in pipeline) return new MongoCheckpoints(databases.mongo(pipeline.to.mongo).own);
  const { pool } = databases.postgres(pipeline.to.postgres);
  return postgresCheckpointStore(pool, new PostgresCheckpoints(OWN_SCHEMA));
}
