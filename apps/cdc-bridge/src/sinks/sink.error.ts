import { MongoBulkWriteError, MongoError, MongoInvalidArgumentError, MongoNetworkError } from 'mongodb';
import pg from 'pg';
import { ValueFault } from '../values/value.fault.js';

export type SinkErrorCode = 'SINK_REFUSED' | 'SINK_CONFLICT' | 'SINK_UNFIT' | 'SINK_UNAVAILABLE';

/**
 * - `SINK_REFUSED`: the database does not take a row as it is; halving the batch finds it.
 * - `SINK_CONFLICT`: a lock, a write conflict, a missing parent, a key still taken: the same may pass later.
 * - `SINK_UNFIT`: it takes no row at all, as a table, a column or a right is missing: somebody has to mend it.
 * - `SINK_UNAVAILABLE`: the database did not answer; the batch may or may not have been applied.
 */
export class SinkError extends Error {
  readonly canRetry: boolean;

  constructor(
    readonly code: SinkErrorCode,
    cause: unknown,
    /** Of a conflict: somebody else holds what is written, and says nothing of the row itself. */
    readonly isContention = false,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.canRetry = code !== 'SINK_REFUSED';
  }
}

/** Rows that a patch was for and that the target has not: to be read again, whole, at the source. */
export class RowsMissing extends Error {
  readonly code = 'ROWS_MISSING';
  readonly canRetry = false;

  constructor(readonly keys: readonly string[]) {
    super(`no row at the target for ${keys.length} keys, the first ${keys[0]}`);
  }
}

/** Serialization, deadlock, lock not available, query cancelled by timeout. */
const POSTGRES_CONTENTION = new Set(['40001', '40P01', '55P03', '57014']);
/** Foreign key, unique, exclusion. */
const POSTGRES_CONSTRAINTS = new Set(['23503', '23505', '23P01']);
/** Classes: connection exception, insufficient resources, operator intervention, system error. */
const POSTGRES_UNAVAILABLE = new Set(['08', '53', '57', '58']);
/** Classes: invalid transaction state (one that may only read), role, database, schema; access rule and names. */
const POSTGRES_UNFIT = new Set(['25', '28', '3D', '3F', '42']);

/** Classes of SQLSTATE: postgresql.org/docs/current/errcodes-appendix.html. */
export function fromPostgres(error: unknown): SinkError {
  if (error instanceof ValueFault) return new SinkError('SINK_REFUSED', error);
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  if (code === undefined || code === '25P03') return new SinkError('SINK_UNAVAILABLE', error);
  if (POSTGRES_CONTENTION.has(code)) return new SinkError('SINK_CONFLICT', error, true);
  if (POSTGRES_CONSTRAINTS.has(code)) return new SinkError('SINK_CONFLICT', error);
  const fault = code.slice(0, 2);
  if (POSTGRES_UNAVAILABLE.has(fault)) return new SinkError('SINK_UNAVAILABLE', error);
  return new SinkError(POSTGRES_UNFIT.has(fault) ? 'SINK_UNFIT' : 'SINK_REFUSED', error);
}

/** Lock timeout, write conflict, `maxTimeMS` and another time limit exceeded, no such transaction. */
const MONGO_CONTENTION = new Set<unknown>([24, 112, 50, 262, 251]);
/**
 * Not primary; the same of a read; neither primary nor secondary; stepping down, as the primary or while it does
 * something; shutting down, the same. A transaction may be tried again by their label, but a member that stays so takes
 * no row.
 */
const MONGO_UNAVAILABLE = new Set<unknown>([10107, 13435, 13436, 189, 11602, 91, 11600]);
const MONGO_DUPLICATE_KEY = 11000;
/** Unauthorized, authentication failed, log in again, no such collection, one that is a view, disk full. */
const MONGO_UNFIT = new Set<unknown>([13, 18, 391, 26, 166, 14031]);

export function fromMongo(error: unknown): SinkError {
  // Node's own error of a socket (`write ECONNRESET`), which the driver lets through as it is.
  if (error instanceof Error && 'syscall' in error) return new SinkError('SINK_UNAVAILABLE', error);
  if (!(error instanceof MongoError)) return new SinkError('SINK_REFUSED', error);
  const isAway = error instanceof MongoNetworkError || MONGO_UNAVAILABLE.has(error.code);
  if (error.hasErrorLabel('UnknownTransactionCommitResult') || isAway) {
    return new SinkError('SINK_UNAVAILABLE', error);
  }
  if (error.hasErrorLabel('TransientTransactionError') || MONGO_CONTENTION.has(error.code)) {
    return new SinkError('SINK_CONFLICT', error, true);
  }
  if (error.code === MONGO_DUPLICATE_KEY) return new SinkError('SINK_CONFLICT', error);
  if (MONGO_UNFIT.has(error.code)) return new SinkError('SINK_UNFIT', error);
  // The driver does not even send what is larger than a document may be.
  const refused =
    error instanceof MongoBulkWriteError ||
    error instanceof MongoInvalidArgumentError ||
    error.constructor.name === 'MongoServerError';
  return new SinkError(refused ? 'SINK_REFUSED' : 'SINK_UNAVAILABLE', error);
}
