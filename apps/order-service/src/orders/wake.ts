/** A bell for one sleeper. Rung while nobody sleeps, it is heard at the next try. */
export class Wake {
  #rung = false;
  #ring: (() => void) | undefined;

  up(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Sleeps until rung, or for `ms` at most. @returns whether it was rung */
  async within(ms: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#ring = undefined;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
