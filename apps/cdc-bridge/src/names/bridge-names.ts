/** The schema of the bridge's own tables, in every Postgres database that it is told of. */
export const OWN_SCHEMA = 'millrace';
/** The table of `OWN_SCHEMA` in a source: its rows, seen in their topic, show how far the connector has come. */
export const WATERMARKS_TABLE = 'watermarks';
/** The table of `OWN_SCHEMA` in a source by which Debezium is told to begin an incremental snapshot. */
export const SIGNALS_TABLE = 'signals';
/** The table of `OWN_SCHEMA` that remembers which rights were granted, and for whom. */
export const GRANTED_TABLE = 'granted';
/** The table of `OWN_SCHEMA` in a source that remembers what was done for each captured table. */
export const CAPTURED_TABLE = 'captured';
/** The same in a MongoDB source, in the user's database. */
export const CAPTURED_COLLECTION = 'millrace_captured';
/**
 * The first two in a MongoDB source: Debezium reads them where it reads the rest, in the user's database. A snapshot
 * takes collections by their names, and begins with the one before all letters and digits: so that a snapshot which was
 * cut off and begun again has told of itself before it told of any document.
 */
export const WATERMARKS_COLLECTION = '+millrace_watermarks';
export const SIGNALS_COLLECTION = 'millrace_signals';

/** The bridge's own MongoDB database, beside the user's. */
export function ownDatabase(userDatabase: string): string {
  return `${userDatabase}_bridge`;
}

/** The connector of a database, and with it the prefix of its topics. */
export function connectorName(database: string): string {
  return `${database}-changes`;
}

/** The replication slot, and the publication, of a Postgres database's connector. */
export function slotName(database: string): string {
  return connectorName(database).replaceAll('-', '_');
}

/**
 * The topic of a table's or collection's changes, by the rules of Debezium's SchemaTopicNamingStrategy: what Kafka
 * does not allow in a name becomes an underscore.
 * @param path `schema.table`, or `database.collection` by MongoDB's name of the database
 */
export function changeTopic(database: string, path: string): string {
  return inTopicName(`${connectorName(database)}.${path}`);
}

export function heartbeatTopic(database: string): string {
  return `__debezium-heartbeat.${connectorName(database)}`;
}

/**
 * The consumer group of a pipeline, with which its dead-letter topic begins. A wildcard's pipelines are named after
 * tables; two that would share a group share the topic of their changes too, which is refused.
 */
export function groupOf(pipeline: string): string {
  return inTopicName(`cdc-bridge.${pipeline}`);
}

function inTopicName(text: string): string {
  return text.replace(/[^a-zA-Z0-9._-]/g, '_');
}
