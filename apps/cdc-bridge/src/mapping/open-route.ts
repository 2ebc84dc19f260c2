import type { WriterSchemas } from '@millrace/messaging';
import { MongoChangeReader } from '../changes/mongo.change-reader.js';
import { PostgresChangeReader } from '../changes/postgres.change-reader.js';
import { TableCatalogue } from '../changes/table-catalogue.js';
import type { NamedDatabases } from '../databases/named-databases.js';
import { changeTopic } from '../names/bridge-names.js';
import type { MongoToPostgres, OneWayPipeline, PostgresToMongo } from '../pipelines/pipeline.schema.js';
import { tableNameOf } from '../postgres/identifier.js';
import { readColumns } from '../postgres/table-columns.js';
import { MongoSourceRows } from '../rows/mongo.source-rows.js';
import { MongoTargetRows } from '../rows/mongo.target-rows.js';
import { PostgresForm } from '../rows/postgres.form.js';
import { PostgresSourceRows } from '../rows/postgres.source-rows.js';
import { PostgresTargetRows } from '../rows/postgres.target-rows.js';
import { CollectionMapping } from './collection.mapping.js';
import { doubtsOf, lossesInto, lossesOf, stopsOf } from './reports.js';
import type { Route } from './route.js';
import { rowOfKey } from './table.mapping.js';

/**
 * Opens the way of one pipeline: reads the catalogue of the databases that it names. There is nothing to close: pools
 * and clients stay their owner's.
 * @param pipeline without a wildcard
 * @throws Error that names what of the pipeline cannot be
 * @throws SourceUnavailable where a database does not answer
 */
export async function openRoute(
  pipeline: OneWayPipeline,
  databases: NamedDatabases,
  schemas: WriterSchemas,
): Promise<Route> {
  return 'rename' in pipeline
    ? fromPostgres(pipeline, databases, schemas)
    : fromMongo(pipeline, databases, schemas);
}

async function fromPostgres(
  pipeline: PostgresToMongo,
  databases: NamedDatabases,
  schemas: WriterSchemas,
): Promise<Route> {
  const { from, to } = pipeline;
  const source = databases.postgres(from.postgres);
  const catalogue = await TableCatalogue.open(source, tableNameOf(from.table), pipeline);
  const { mapping } = catalogue;
  const flowing = mapping.columns.filter(({ name }) => !pipeline.drop.includes(name));
  return {
    pipeline,
    topic: changeTopic(from.postgres, from.table),
    reader: new PostgresChangeReader(schemas, catalogue),
    source: new PostgresSourceRows(source.pool, catalogue),
    target: new MongoTargetRows(
      databases.mongo(to.mongo).db,
      to.collection,
      () => catalogue.mapping.isKeyless,
    ),
    columns: ['_id', ...mapping.fields.map(({ name }) => name), ...Object.keys(mapping.deletions.ofLiving)],
    reports: [
      ...lossesOf(from.table, flowing),
      ...doubtsOf(from.table, flowing, pipeline.delay),
      ...stopsOf(from.table, mapping.columns),
    ],
    keyless: mapping.isKeyless,
    rowOf: mapping.isKeyless ? rowOfKey : ({ text }) => text,
    gone: (key, at) => catalogue.mapping.deletions.gone(key, at),
    mayBeGone: (fields) => catalogue.mapping.deletions.mayBeGone(fields),
  };
}

async function fromMongo(
  pipeline: MongoToPostgres,
  databases: NamedDatabases,
  schemas: WriterSchemas,
): Promise<Route> {
  const { from, to } = pipeline;
  const source = databases.mongo(from.mongo);
  const { pool } = databases.postgres(to.postgres);
  const table = tableNameOf(to.table);
  const mapping = new CollectionMapping(await readColumns(pool, table), pipeline);
  const form = new PostgresForm(
    pool,
    mapping.columns,
    mapping.key.map(({ column }) => column),
  );
  return {
    pipeline,
    topic: changeTopic(from.mongo, `${source.db.databaseName}.${from.collection}`),
    reader: new MongoChangeReader(schemas, mapping),
    source: new MongoSourceRows(source.db, from.collection, mapping, form),
    target: new PostgresTargetRows(pool, table, mapping),
    columns: mapping.columns.map(({ name }) => name),
    reports: lossesInto(to.table, mapping.columns),
    keyless: false,
    rowOf: ({ text }) => text,
    gone: (key, at) => mapping.deletions.gone(key, at),
    mayBeGone: (fields) => mapping.deletions.mayBeGone(fields),
  };
}
