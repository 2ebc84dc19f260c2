import { MongoClient } from 'mongodb';

/** How long a single operation may run on the server, in milliseconds. */
export const OPERATION_TIMEOUT_MS = 3_000;

/**
 * A client whose every wait has an end: the driver's own defaults wait 30 s for a server and for ever for an
 * answer. It connects with its first operation, and again by itself after the database was away.
 *
 * Longs are BigInt, writes and reads are those of a majority.
 *
 * @param url with the database's name in its path
 */
export function createMongoClient(url: string, appName: string): MongoClient {
  return new MongoClient(url, {
    appName,
    connectTimeoutMS: 2_000,
    serverSelectionTimeoutMS: 2_000,
    waitQueueTimeoutMS: 2_000,
    // Beyond the server's own limit, so that a slow operation is ended there and the connection lives on.
    socketTimeoutMS: OPERATION_TIMEOUT_MS + 2_000,
    maxPoolSize: 20,
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority', wtimeoutMS: OPERATION_TIMEOUT_MS },
    useBigInt64: true,
  });
}
