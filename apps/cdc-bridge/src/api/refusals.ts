import { ProblemException } from '@millrace/service-defaults';

const STATUSES: Readonly<Record<string, number>> = {
  PIPELINE_UNKNOWN: 404,
  CONFLICT_UNKNOWN: 404,
  PIPELINE_NOT_READY: 409,
  REPAIR_OVERTAKEN: 409,
  PAIR_STOPPED: 409,
  PAIR_TAKEN: 409,
  PAIR_NOT_PREPARED: 409,
  PAIR_RESTORED: 409,
  PAIR_COLUMNS_CHANGED: 409,
  RESTORE_REFUSED: 409,
  PIPELINE_ONE_WAY: 409,
  PIPELINE_TWO_WAY: 409,
  PIPELINE_KEYLESS: 409,
  SOURCE_REFUSED: 409,
  WORK_TIMEOUT: 504,
};

/** What was asked took longer than one request may. Nothing of it goes on. */
export class WorkTimeout extends Error {
  readonly code = 'WORK_TIMEOUT';
  readonly canRetry = true;

  constructor(ms: number, cause: unknown) {
    super(
      `it was given up after ${ms / 1_000} s, WORK_TIMEOUT_MS of the bridge: ask again, or let it take longer`,
      { cause },
    );
  }
}

/**
 * Work that somebody waits for, within a bounded time.
 * @throws WorkTimeout; what the work throws
 */
export async function inTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(ms);
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? new WorkTimeout(ms, error) : error;
  }
}

/**
 * Answers what the bridge refuses as a problem: by its code, and as 503 whatever else may pass later.
 * @throws ProblemException, or the error itself where it is nobody's refusal
 */
export async function answering<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { canRetry, message } = error as Error & { canRetry?: boolean };
    const code = codeOf(error);
    const status = STATUSES[code] ?? (canRetry === true || isDatabaseAway(error) ? 503 : undefined);
    if (status === undefined) throw error;
    throw new ProblemException({ status, code, detail: message, cause: error });
  }
}

/** The bridge's own and Node's are words; a driver's or a DOMException's number says nothing to who asks. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : 'UNAVAILABLE';
}

/** The drivers' own errors, by their names: pg's of the network have none but Node's. */
function isDatabaseAway(error: unknown): boolean {
  const { name = '', message = '' } = error as Error;
  return (
    /^Mongo(Network|ServerSelection|NotConnected)/.test(name) || /ECONN|timeout|terminated/i.test(message)
  );
}
