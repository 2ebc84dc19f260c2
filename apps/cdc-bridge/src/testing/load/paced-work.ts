import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@millrace/testing';

export interface Pace {
  /** How often the work is done altogether, at least. */
  readonly times: number;
  /** On a machine that can do as much. */
  readonly perSecond: number;
}

/**
 * Does the work of several workers side by side at a steady rate, until it was done often enough and nobody needs it
 * any more. Each turn has its number, by which it can be the same in every run.
 */
export class PacedWork implements AsyncDisposable {
  readonly #ended: Promise<unknown>;
  #begun = 0;
  #done = 0;
  #isNeeded = true;

  /** @param workers each does one turn after the other; a turn that fails ends the whole */
  constructor(
    readonly pace: Pace,
    workers: readonly ((turn: number) => Promise<void>)[],
  ) {
    const start = performance.now();
    this.#ended = Promise.all(workers.map((work) => this.#run(work, start)));
    this.#ended.catch(() => undefined);
  }

  /** Waits until a share of the turns, from 0 to 1, has ended. @throws the error of the turn that failed */
  async reached(share: number): Promise<void> {
    const reached = eventually(`${share} of the load`, 300_000, () => this.#done >= share * this.pace.times);
    await Promise.race([reached, this.#ended.then(() => reached)]);
  }

  /** Resolves with the number of turns when the last has ended. @throws the error of the turn that failed */
  async end(): Promise<number> {
    this.#isNeeded = false;
    await this.#ended;
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  async #run(work: (turn: number) => Promise<void>, start: number): Promise<void> {
    while (this.#isNeeded || this.#begun < this.pace.times) {
      const turn = this.#begun++;
      const due = start + (turn * 1_000) / this.pace.perSecond;
      if (due > performance.now()) await sleep(due - performance.now());
      await work(turn);
      this.#done++;
    }
  }
}
