import { MongoBulkWriteError, MongoError, MongoNetworkError } from 'mongodb';
import pg from 'pg';
import { ValueFault } from '../values/value.fault.js';

export type SinkErrorCode = 'SINK_REFUSED' | 'SINK_CONFLICT' | 'SINK_UNAVAILABLE';

/**
 * - `SINK_REFUSED`: the database does not take a row as it is; halving the batch finds it.
 * - `SINK_CONFLICT`: a lock, a write conflict, a missing parent, a key still taken: the same may pass later.
 * - `SINK_UNAVAILABLE`: the database did not answer; the batch may or may not have been applied.
 */
export class SinkError extends Error {
  readonly canRetry: boolean;

  constructor(
    readonly code: SinkErrorCode,
    cause: unknown,
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

/** Serialization, deadlock, lock not available, query cancelled by timeout; foreign key, unique, exclusion. */
const POSTGRES_CONFLICTS = new Set(['40001', '40P01', '55P03', '57014', '23503', '23505', '23P01']);
/** Classes: connection exception, insufficient resources, operator intervention, system error. */
const POSTGRES_UNAVAILABLE = new Set(['08', '53', '57', '58']);

/** Classes of SQLSTATE: postgresql.org/docs/current/errcodes-appendix.html. */
export function fromPostgres(error: unknown): SinkError {
  if (error instanceof ValueFault) return new SinkError('SINK_REFUSED', error);
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  if (code === undefined || code === '25P03') return new SinkError('SINK_UNAVAILABLE', error);
  if (POSTGRES_CONFLICTS.has(code)) return new SinkError('SINK_CONFLICT', error);
  return new SinkError(
    POSTGRES_UNAVAILABLE.has(code.slice(0, 2)) ? 'SINK_UNAVAILABLE' : 'SINK_REFUSED',
    error,
  );
}

/** Lock timeout, write conflict, exceeded time limit, duplicate key, no such transaction. */
const MONGO_CONFLICTS = new Set<unknown>([24, 112, 262, 11000, 251]);

export function fromMongo(error: unknown): SinkError {
  if (!(error instanceof MongoError)) return new SinkError('SINK_REFUSED', error);
  if (error.hasErrorLabel('UnknownTransactionCommitResult') || error instanceof MongoNetworkError) {
    return new SinkError('SINK_UNAVAILABLE', error);
  }
  if (error.hasErrorLabel('TransientTransactionError') || MONGO_CONFLICTS.has(error.code)) {
    return new SinkError('SINK_CONFLICT', error);
  }
  const refused = error instanceof MongoBulkWriteError || error.constructor.name === 'MongoServerError';
  return new SinkError(refused ? 'SINK_REFUSED' : 'SINK_UNAVAILABLE', error);
}
