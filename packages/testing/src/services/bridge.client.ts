import { type Answer, JsonClient } from './json.client.js';

/** A pipeline as cdc-bridge shows it. */
export interface PipelineView {
  readonly name: string;
  /** The table or collection that is read; of a pair its table. */
  readonly from: string;
  readonly to: string;
  readonly state: 'starting' | 'running' | 'paused' | 'waiting' | 'stopped';
  readonly reasons: readonly string[];
  /** Null where it is not known. */
  readonly lag: {
    readonly records: number | null;
    readonly sourceSeconds: number | null;
    readonly sinkSeconds: number | null;
  };
  readonly rows: { readonly read: number; readonly applied: number };
}

/** How both sides of a pipeline compare, in rows. */
export interface VerifyView {
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly compared: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Rows of which nothing is known: they changed each time they were looked at. */
  readonly unsettled?: number;
  /** Rows whose changes wait for a pipeline's delay; of a pair, none. */
  readonly pending?: number;
  readonly sample: readonly { readonly key: string; readonly kind: string }[];
}

/** What a pair overwrote because both sides had changed. */
export interface ConflictView {
  readonly id: string;
  readonly key: string;
  readonly at: string;
  readonly lost: 'postgres' | 'mongo';
  readonly loser: Readonly<Record<string, unknown>> | null;
}

export interface ConflictPage {
  readonly items: readonly ConflictView[];
  /** Begins the next page; null on the last. */
  readonly nextBefore: string | null;
}

/** Every row of both sides is read: longer than the bridge works on it unless told (`WORK_TIMEOUT_MS`), 15 minutes. */
const WORK_TIMEOUT_MS = 930_000;

/** Talks to cdc-bridge as an operator would. */
export class BridgeClient {
  readonly http: JsonClient;

  constructor(instances: readonly string[]) {
    this.http = new JsonClient(instances);
  }

  pipelines(): Promise<Answer<{ readonly items: readonly PipelineView[] }>> {
    return this.http.send('GET', '/pipelines');
  }

  pipeline(name: string): Promise<Answer<PipelineView>> {
    return this.http.send('GET', pathOf(name));
  }

  pause(name: string): Promise<Answer<PipelineView>> {
    return this.http.send('POST', pathOf(name, 'pause'));
  }

  resume(name: string): Promise<Answer<PipelineView>> {
    return this.http.send('POST', pathOf(name, 'resume'));
  }

  verify(name: string): Promise<Answer<VerifyView>> {
    return this.http.send('POST', pathOf(name, 'verify'), { timeout: WORK_TIMEOUT_MS });
  }

  resnapshot(name: string): Promise<Answer<PipelineView>> {
    return this.http.send('POST', pathOf(name, 'resnapshot'));
  }

  /** @param from of a pair: the side that wins wherever both differ */
  repair(name: string, from?: string): Promise<Answer<unknown>> {
    const options = { timeout: WORK_TIMEOUT_MS, ...(from && { body: { from } }) };
    return this.http.send('POST', pathOf(name, 'repair'), options);
  }

  /** Brings the rows of its dead letters as the source has them. */
  replay(name: string): Promise<Answer<unknown>> {
    return this.http.send('POST', pathOf(name, 'replay'), { timeout: WORK_TIMEOUT_MS });
  }

  /** The newest first. */
  conflicts(name: string, before?: string): Promise<Answer<ConflictPage>> {
    const query = before ? `?before=${encodeURIComponent(before)}` : '';
    return this.http.send('GET', `${pathOf(name, 'conflicts')}${query}`);
  }

  /** Puts a loser back, as an edit of its side. */
  restore(name: string, conflict: string): Promise<Answer<unknown>> {
    return this.http.send('POST', pathOf(name, 'conflicts', conflict, 'restore'));
  }
}

/** What an operator types may have any characters. */
function pathOf(...parts: readonly string[]): string {
  return ['/pipelines', ...parts.map(encodeURIComponent)].join('/');
}
