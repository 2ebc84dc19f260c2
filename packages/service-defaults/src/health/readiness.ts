import { describeError } from '../logging/describe-error.js';

/** Answers why the thing it watches is not ready; an empty list means ready. A rejection is a reason too. */
export type ReadinessCheck = () => Promise<string[]>;

/** Why a service is not ready: which check said so, and what it said. */
export interface ReadinessReason {
  check: string;
  reason: string;
}

/**
 * What has to work before the service can take requests. Every check runs at every question, in
 * parallel, each within its own time; one that does not answer is a reason and holds up nothing else.
 */
export class Readiness {
  readonly #checks = new Map<string, ReadinessCheck>();
  readonly #notes = new Map<string, ReadinessCheck>();
  readonly #running = new Map<ReadinessCheck, Promise<string[]>>();
  #shuttingDown = false;

  /** @param timeoutMs how long one check may take */
  constructor(private readonly timeoutMs: number) {}

  /**
   * Adds a check under a name that operators will read, for example `database`.
   *
   * @returns takes the check away again
   * @throws when the name is taken
   */
  register(name: string, check: ReadinessCheck): () => void {
    if (this.#checks.has(name)) {
      throw new Error(`a readiness check named "${name}" is registered already: give this one another name`);
    }
    this.#checks.set(name, check);
    return () => void this.#checks.delete(name);
  }

  /** Adds what operators should see although the service can take requests, under a name as above. */
  registerNotes(name: string, check: ReadinessCheck): void {
    this.#notes.set(name, check);
  }

  /** From here on the service is not ready, whatever the checks say. */
  shutDown(): void {
    this.#shuttingDown = true;
  }

  /** All reasons why the service is not ready, by check; none means ready. */
  async reasons(): Promise<ReadinessReason[]> {
    if (this.#shuttingDown) {
      return [{ check: 'shutdown', reason: 'the service is shutting down' }];
    }
    return this.#told(this.#checks);
  }

  /** What operators should see, ready or not. */
  notes(): Promise<ReadinessReason[]> {
    return this.#told(this.#notes);
  }

  async #told(checks: ReadonlyMap<string, ReadinessCheck>): Promise<ReadinessReason[]> {
    const told = [...checks].map(async ([check, run]) =>
      (await this.#ask(run)).map((reason) => ({ check, reason })),
    );
    return (await Promise.all(told)).flat();
  }

  /** A check that is still running is not started again: its answer serves everyone who asks meanwhile. */
  #ask(run: ReadinessCheck): Promise<string[]> {
    const running = this.#running.get(run);
    if (running) {
      return running;
    }
    const answer = withinTime(run, this.timeoutMs).finally(() => this.#running.delete(run));
    this.#running.set(run, answer);
    return answer;
  }
}

async function withinTime(run: ReadinessCheck, timeoutMs: number): Promise<string[]> {
  const { promise: late, resolve } = Promise.withResolvers<string[]>();
  const timer = setTimeout(() => resolve([`did not answer within ${timeoutMs} ms`]), timeoutMs);
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return [describeError(error)];
  } finally {
    clearTimeout(timer);
  }
}
