/** Keys to look at: each once, at once or not before some moment. */
export class HintQueue {
  readonly #ready = new Set<string>();
  readonly #delayed = new Map<string, number>();
  #wake: (() => void) | undefined;

  /** @param now milliseconds of a clock that never goes back */
  constructor(readonly now: () => number = () => performance.now()) {}

  get size(): number {
    return this.#ready.size + this.#delayed.size;
  }

  has(key: string): boolean {
    return this.#ready.has(key) || this.#delayed.has(key);
  }

  /** Every key that waits. */
  keys(): string[] {
    return [...new Set([...this.#ready, ...this.#delayed.keys()])];
  }

  add(key: string): void {
    this.#ready.add(key);
    this.wake();
  }

  /** Does not hold back a key that is asked for at once meanwhile. */
  addLater(key: string, ms: number): void {
    this.#delayed.set(key, this.now() + ms);
    this.wake();
  }

  /** Ends the wait for a change. */
  wake(): void {
    this.#wake?.();
  }

  /** The oldest keys that are due. */
  take(max: number): string[] {
    const now = this.now();
    for (const [key, due] of this.#delayed) {
      if (due > now) continue;
      this.#delayed.delete(key);
      this.#ready.add(key);
    }
    const keys: string[] = [];
    for (const key of this.#ready) {
      if (keys.length === max) break;
      keys.push(key);
      this.#ready.delete(key);
    }
    return keys;
  }

  /** Resolves when a key may be due, or was added, or at the signal. */
  async changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ready.size > 0) return;
    let due = Number.POSITIVE_INFINITY;
    for (const at of this.#delayed.values()) due = Math.min(due, at);
    await new Promise<void>((resolve) => {
      const timer =
        due < Number.POSITIVE_INFINITY ? setTimeout(wake, Math.max(0, due - this.now())) : undefined;
      const forget = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
      };
      function wake(): void {
        forget();
        resolve();
      }
      signal.addEventListener('abort', wake);
      this.#wake = wake;
    });
  }
}
