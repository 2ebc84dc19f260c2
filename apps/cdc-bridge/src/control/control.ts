/** What all instances of the bridge agree on about a pipeline; kept in its sink's database. */
export interface Control {
  readonly paused: boolean;
  /** A sweep that was asked for and has not been done yet. */
  readonly sweep: SweepRequest | null;
  /** The snapshot whose rows came last; null until one came. */
  readonly snapshot: string | null;
  /** The declaration that the target's rows follow (`declarationOf`), or come to; null until the pipeline has begun. */
  readonly declaration: string | null;
  readonly lastError: LastError | null;
}

export interface SweepRequest {
  /** Another for each request: one that is made while a sweep runs is not settled by it. */
  readonly id: string;
  readonly reason: string;
  readonly requestedAt: Date;
}

export interface LastError {
  readonly code: string;
  readonly message: string;
  readonly at: Date;
}

/** How a pipeline stands that nobody has told anything. */
export const NO_CONTROL: Control = {
  paused: false,
  sweep: null,
  snapshot: null,
  declaration: null,
  lastError: null,
};

/**
 * Under which name a pipeline's control remembers the snapshot of its whole source that it was last swept after: no
 * pipeline's own name begins so.
 */
export function sourceMemoryOf(pipeline: string): string {
  return `source:${pipeline}`;
}

/** Controls of the pipelines into one database. */
export interface ControlStore {
  /** Of every pipeline that has one. */
  all(): Promise<ReadonlyMap<string, Control>>;
  setPaused(pipeline: string, paused: boolean): Promise<void>;
  /** Asks for a sweep after whatever is under way. */
  requestSweep(pipeline: string, reason: string): Promise<void>;
  /** Takes a request back that was carried out; a later one stays. */
  sweepDone(pipeline: string, id: string): Promise<void>;
  rememberSnapshot(pipeline: string, snapshot: string): Promise<void>;
  rememberDeclaration(pipeline: string, declaration: string): Promise<void>;
  setLastError(pipeline: string, error: LastError): Promise<void>;
  remove(pipeline: string): Promise<void>;
}
