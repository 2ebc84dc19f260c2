import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';

/**
 * The server's words for "not now": it stops, steps down, elects, could not replicate in time, or was too slow.
 * https://www.mongodb.com/docs/manual/reference/error-codes/
 */
const PASSING_CODES = new Set<unknown>([
  6, // HostUnreachable
  50, // MaxTimeMSExpired
  64, // WriteConcernFailed (wtimeout)
  89, // NetworkTimeout
  91, // ShutdownInProgress
  100, // UnsatisfiableWriteConcern
  134, // ReadConcernMajorityNotAvailableYet
  189, // PrimarySteppedDown
  202, // NetworkInterfaceExceededTimeLimit
  262, // ExceededTimeLimit
  9001, // SocketException
  10107, // NotWritablePrimary
  11600, // InterruptedAtShutdown
  11602, // InterruptedDueToReplStateChange
  13435, // NotPrimaryNoSecondaryOk
  13436, // NotPrimaryOrSecondary
]);

/** The driver's names for a pool without a free connection and for a client that closes; not all are exported. */
const PASSING_NAMES = new Set([
  'MongoWaitQueueTimeoutError',
  'MongoPoolClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
]);

/** Whether an operation failed because the database does not answer for now: the same may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    (error instanceof MongoServerError && PASSING_CODES.has(error.code)) ||
    (error instanceof MongoError && PASSING_NAMES.has(error.name)) ||
    isSocketError(error)
  );
}

/** Node's own error of a socket (`write ECONNRESET`), which the driver lets through as it is. */
function isSocketError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}
