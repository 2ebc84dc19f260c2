import { StackError } from '@millrace/stack';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Aborts on Ctrl-C and its kin until disposed; later ones are ignored, so that what was begun is tidied up. */
export class Interrupt implements Disposable {
  private readonly controller = new AbortController();
  private readonly onSignal = () => {
    this.controller.abort(
      new StackError('INTERRUPTED', 'Interrupted. A stack that this command had started is stopped again.'),
    );
  };

  constructor() {
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The work's outcome, or the interrupt as an error as soon as it comes: the work itself is left behind. */
  over<T>(work: Promise<T>): Promise<T> {
    const interrupted = new Promise<never>((_, reject) => {
      if (this.signal.aborted) reject(this.signal.reason);
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true });
    });
    return Promise.race([work, interrupted]);
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.onSignal);
  }
}
