import type { ConnectorConfig } from '@millrace/messaging';
import { connectorName, SIGNALS_COLLECTION, WATERMARKS_COLLECTION } from '../names/bridge-names.js';
import { avroConverters } from './avro-converters.js';
import { parseMongoConnectorUrl } from './connector-url.js';
import { exactNames } from './exact-name.js';
import type { Captured } from './source.js';

/** Both images of every change, as they were at that change and not as a later look-up finds them. */
const FIXED = {
  'connector.class': 'io.debezium.connector.mongodb.MongoDbConnector',
  'tasks.max': '1',
  'exactly.once.support': 'required',
  'capture.scope': 'database',
  'capture.mode': 'change_streams_update_full_with_pre_image',
  'capture.mode.full.update.type': 'post_image',
  'snapshot.mode': 'when_needed',
  'signal.enabled.channels': 'source',
  'skipped.operations': 'none',
  'tombstones.on.delete': 'true',
  'schema.name.adjustment.mode': 'avro',
  'field.name.adjustment.mode': 'avro_unicode',
  'extended.headers.enabled': 'false',
  'poll.interval.ms': '10',
  // In bytes besides records: the worker's heap is small, and a document can be large.
  'max.queue.size.in.bytes': '33554432',
  'retriable.restart.connector.wait.ms': '1000',
  // Without a bound, what no retry mends is tried for ever, and Connect says RUNNING all the while: a change that is
  // too large, for one. Where MongoDB is away each retry takes half a minute; the bridge starts what has failed again.
  'errors.max.retries': '5',
  'heartbeat.interval.ms': '1000',
};

/**
 * The settings of a MongoDB database's change connector.
 * @param connectorUrl as Connect reaches the database
 * @param registryUrl as Connect reaches the registry
 */
export function mongoConnector(
  database: string,
  connectorUrl: string,
  captured: readonly Captured[],
  registryUrl: string,
): ConnectorConfig {
  const { user, password, host, database: db, options } = parseMongoConnectorUrl(connectorUrl);
  const { authSource = db, ...others } = options;
  const scheme = connectorUrl.slice(0, connectorUrl.indexOf('://'));
  const query = Object.entries(others).map(([name, value]) => `${name}=${value}`);
  const within = (names: readonly string[]) => exactNames(names.map((name) => `${db}.${name}`));
  const names = [...captured.map(({ name }) => name), WATERMARKS_COLLECTION, SIGNALS_COLLECTION];
  const snapshot = captured.filter((collection) => collection.snapshot).map(({ name }) => name);
  return {
    ...FIXED,
    ...avroConverters(registryUrl),
    'mongodb.connection.string': `${scheme}://${host}/${query.length > 0 ? `?${query.join('&')}` : ''}`,
    'mongodb.user': user,
    'mongodb.password': password,
    'mongodb.authsource': authSource,
    'capture.target': db,
    'topic.prefix': connectorName(database),
    'signal.data.collection': `${db}.${SIGNALS_COLLECTION}`,
    'collection.include.list': within(names),
    // Debezium's own filter comes too late: MongoDB has put images together by then, and has failed where they are too
    // large, also those of a collection that was taken out.
    'cursor.pipeline': JSON.stringify([{ $match: { 'ns.coll': { $in: names } } }]),
    'cursor.pipeline.order': 'user_first',
    // Never empty, which would stand for every collection.
    'snapshot.include.collection.list': within([...snapshot, WATERMARKS_COLLECTION]),
  };
}
