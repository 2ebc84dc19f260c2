import { ProblemException } from '@millrace/service-defaults';

/** The database did not answer, or refused for a reason that passes: the same call may succeed later. */
export class DatabaseUnavailableError extends ProblemException {
  readonly canRetry = true;

  constructor(cause: unknown) {
    super({
      status: 503,
      code: 'DATABASE_UNAVAILABLE',
      detail: 'The orders database does not answer. Try again, with the same Idempotency-Key.',
      cause,
    });
  }
}

/** Tells a database that is away from every other failure. @throws DatabaseUnavailableError, or what the work threw */
export async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError || !isDatabaseUnavailable(error)) throw error;
    throw new DatabaseUnavailableError(error);
  }
}

/** Prisma: not reachable, timed out, closed, no free connection, transaction lost, deadlock or conflict. */
const PRISMA_CODES = new Set('P1001 P1002 P1008 P1011 P1017 P2024 P2028 P2034 P2037'.split(' '));
/** Node: the connection could not be made, or broke. */
const NODE_CODES = new Set(
  'ECONNREFUSED ECONNRESET ENOTFOUND EAI_AGAIN EPIPE ETIMEDOUT ENETUNREACH EHOSTUNREACH'.split(' '),
);
/** The adapter's names for the same, where it keeps no code. */
const ADAPTER_KINDS = new Set(
  'DatabaseNotReachable ConnectionClosed SocketTimeout TooManyConnections'.split(' '),
);
/**
 * SQLSTATE: connection exceptions (08), transaction rolled back (40), insufficient resources (53), operator
 * intervention, statement timeout among it (57), lock not available (55P03), transaction ended by a timeout
 * (25P03, 25P04), read-only, as a standby is (25006).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SQLSTATES = /^(08...|40...|53...|57...|55P03|25P0[34]|25006)$/;
/** node-postgres gives its own failures no code. */
const PG_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after)/;
const MAX_DEPTH = 5;

/** Whether an error, or one that caused it, says that the database is away for now. */
export function isDatabaseUnavailable(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false;
  const { code, originalCode, kind, message, cause, meta, driverAdapterError, errors } = error as Record<
    string,
    unknown
  >;
  const inner = [cause, meta, driverAdapterError, ...(Array.isArray(errors) ? errors : [])];
  return (
    [code, originalCode].some(isPassingCode) ||
    (typeof kind === 'string' && ADAPTER_KINDS.has(kind)) ||
    (typeof message === 'string' && PG_MESSAGES.test(message)) ||
    inner.some((one) => isDatabaseUnavailable(one, depth + 1))
  );
}

function isPassingCode(code: unknown): boolean {
  return typeof code === 'string' && (PRISMA_CODES.has(code) || NODE_CODES.has(code) || SQLSTATES.test(code));
}
