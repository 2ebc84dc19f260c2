import type { ConnectorConfig } from '@millrace/messaging';
import { UNAVAILABLE_VALUE } from '../changes/unavailable-value.js';
import {
  connectorName,
  OWN_SCHEMA,
  SIGNALS_TABLE,
  slotName,
  WATERMARKS_TABLE,
} from '../names/bridge-names.js';
import { avroConverters } from './avro-converters.js';
import { parsePostgresConnectorUrl } from './connector-url.js';
import { exactNames } from './exact-name.js';
import type { Captured } from './source.js';

const WATERMARKS = `${OWN_SCHEMA}.${WATERMARKS_TABLE}`;
const SIGNALS = `${OWN_SCHEMA}.${SIGNALS_TABLE}`;

/** Both the values' forms and the order of events that the bridge reads depend on these. */
const FIXED = {
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'tasks.max': '1',
  'exactly.once.support': 'required',
  'plugin.name': 'pgoutput',
  'publication.autocreate.mode': 'disabled',
  'snapshot.mode': 'when_needed',
  'signal.data.collection': SIGNALS,
  'signal.enabled.channels': 'source',
  'decimal.handling.mode': 'string',
  'binary.handling.mode': 'bytes',
  'time.precision.mode': 'adaptive_time_microseconds',
  'interval.handling.mode': 'string',
  'hstore.handling.mode': 'json',
  'include.unknown.datatypes': 'true',
  // So that a column of another type gives another schema, by which the bridge reads the catalogue again.
  'column.propagate.source.type': '.*',
  'skipped.operations': 'none',
  'tombstones.on.delete': 'true',
  'unavailable.value.placeholder': UNAVAILABLE_VALUE,
  'schema.name.adjustment.mode': 'avro',
  'field.name.adjustment.mode': 'avro_unicode',
  'extended.headers.enabled': 'false',
  'poll.interval.ms': '10',
  // In bytes besides records: the worker's heap is small, and a row can be large.
  'max.queue.size.in.bytes': '33554432',
  'retriable.restart.connector.wait.ms': '1000',
  'slot.retry.delay.ms': '1000',
  // A table that nobody writes must not keep the server from removing its log.
  'heartbeat.interval.ms': '1000',
  'heartbeat.action.query': "SELECT pg_logical_emit_message(false, 'heartbeat', '')",
  'message.prefix.exclude.list': 'heartbeat',
};

/**
 * The settings of a Postgres database's change connector. It makes its slot itself, together with its first
 * snapshot, so that neither lacks what the other has.
 * @param connectorUrl as Connect reaches the database
 * @param registryUrl as Connect reaches the registry
 */
export function postgresConnector(
  database: string,
  connectorUrl: string,
  captured: readonly Captured[],
  registryUrl: string,
): ConnectorConfig {
  const { user, password, host, port, database: dbname, options } = parsePostgresConnectorUrl(connectorUrl);
  const names = captured.map(({ name }) => name);
  const snapshot = captured.filter((table) => table.snapshot).map(({ name }) => name);
  return {
    ...FIXED,
    ...avroConverters(registryUrl),
    'database.hostname': host,
    'database.port': port,
    'database.user': user,
    'database.password': password,
    'database.dbname': dbname,
    ...(options.sslmode && { 'database.sslmode': options.sslmode }),
    'topic.prefix': connectorName(database),
    'slot.name': slotName(database),
    'publication.name': slotName(database),
    'table.include.list': exactNames([...names, WATERMARKS, SIGNALS]),
    // Never empty, which would stand for every table.
    'snapshot.include.collection.list': exactNames([...snapshot, WATERMARKS]),
  };
}
