import { patientFetch } from './patient-fetch.js';

/** What a service answered: `body` is parsed JSON, or the text where it is not JSON. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the call is given up; 15,000 unless told. */
  readonly timeout?: number;
}

/** Node's `fetch` waits no longer than five minutes for an answer to begin. */
const FETCH_PATIENCE_MS = 300_000;

/** A JSON client of one service's instances, asked in turn. Statuses are answers, not errors. */
export class JsonClient {
  #turn = 0;

  constructor(readonly instances: readonly string[]) {
    if (instances.length === 0) throw new Error('No instance to ask: is the service in stack.json?');
  }

  /**
   * Sends one request to the next instance.
   * @throws TypeError when the instance cannot be reached, a TimeoutError when it does not answer in time.
   */
  async send<T>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    const timeout = options.timeout ?? 15_000;
    const send = timeout < FETCH_PATIENCE_MS ? fetch : patientFetch;
    const response = await send(this.instances[this.#turn++ % this.instances.length] + path, {
      method,
      headers: {
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: (json ? JSON.parse(text) : text) as T,
    };
  }
}
