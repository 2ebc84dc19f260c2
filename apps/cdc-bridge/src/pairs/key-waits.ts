interface Wait {
  readonly open: Set<string>;
  resolve(): void;
  reject(error: unknown): void;
}

/** Who waits until keys have been looked at. */
export class KeyWaits {
  readonly #waits = new Set<Wait>();

  /** Resolves when each key was settled; rejects at the signal, and with `fail`. */
  async of(keys: Iterable<string>, signal: AbortSignal): Promise<void> {
    const open = new Set(keys);
    signal.throwIfAborted();
    if (open.size === 0) return;
    let abort = () => {};
    let wait: Wait | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        wait = { open, resolve, reject };
        this.#waits.add(wait);
        abort = () => reject(signal.reason);
        signal.addEventListener('abort', abort);
      });
    } finally {
      if (wait) this.#waits.delete(wait);
      signal.removeEventListener('abort', abort);
    }
  }

  settle(key: string): void {
    for (const wait of this.#waits) {
      if (wait.open.delete(key) && wait.open.size === 0) wait.resolve();
    }
  }

  /** Nobody will look any more. */
  fail(error: unknown): void {
    for (const wait of this.#waits) wait.reject(error);
  }
}
