/** Lets work through while it is open. */
export class Gate {
  #opening: PromiseWithResolvers<void> | undefined;

  get isOpen(): boolean {
    return this.#opening === undefined;
  }

  open(): void {
    this.#opening?.resolve();
    this.#opening = undefined;
  }

  close(): void {
    this.#opening ??= Promise.withResolvers();
  }

  /** Resolves once the gate is open. @throws the signal's reason when that is aborted first */
  async passed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#opening) return;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      while (this.#opening) await Promise.race([this.#opening.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
