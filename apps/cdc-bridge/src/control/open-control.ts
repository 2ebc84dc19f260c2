import type { NamedDatabases } from '../databases/named-databases.js';
import { OWN_SCHEMA } from '../names/bridge-names.js';
import type { Endpoint } from '../pipelines/endpoint.js';
import type { ControlStore } from './control.js';
import { MongoControl } from './mongo.control.js';
import { PostgresControl } from './postgres.control.js';

/** The controls of the pipelines that write to a database. */
export function openControl({ kind, database }: Endpoint, databases: NamedDatabases): ControlStore {
  return kind === 'postgres'
    ? new PostgresControl(databases.postgres(database).pool, OWN_SCHEMA)
    : new MongoControl(databases.mongo(database).own);
}
