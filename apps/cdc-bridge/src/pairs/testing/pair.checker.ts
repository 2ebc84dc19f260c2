import type { Image } from '../pair.image.js';

interface Overwrite {
  readonly row: Image | null;
  readonly doc: Image | null;
  /** The applications' writes that each side has in its causal past, one bit each. */
  readonly rowPast: bigint;
  readonly docPast: bigint;
  /** The document is back to what it was at the base: an edit that was undone before the bridge looked. */
  readonly undone: boolean;
}

/**
 * Follows every application's write through its causal past: at rest each one must have reached both sides,
 * have been overwritten by someone who knew it, or stand in the conflict log.
 */
export class Checker {
  fault = '';
  conflicts = 0;
  #writes = 0n;
  #logged = 0n;
  #unseen = false;

  /** The bit of a new write. */
  newWrite(): bigint {
    return 1n << this.#writes++;
  }

  /**
   * A zombie may write late and a row may change without a trigger: either can cost a conflict entry too many,
   * by which nothing is lost.
   */
  unseen(): void {
    this.#unseen = true;
  }

  /** The bridge is about to overwrite one side. */
  judge(lost: 'row' | 'doc', conflict: boolean, { row, doc, rowPast, docPast, undone }: Overwrite): void {
    const onlyRow = rowPast & ~docPast & ~this.#logged;
    const onlyDoc = docPast & ~rowPast & ~this.#logged;
    const onlyLost = lost === 'row' ? onlyRow : onlyDoc;
    if (conflict) {
      this.conflicts++;
      const concurrent = (rowPast & ~docPast) !== 0n && (docPast & ~rowPast) !== 0n;
      if (!concurrent && !this.#unseen) this.fault ||= 'false conflict';
      this.#logged |= onlyLost;
    } else if (row !== doc && onlyLost !== 0n) {
      if (lost === 'doc' && undone) this.#logged |= onlyDoc;
      else this.fault ||= `write to the ${lost} lost`;
    }
  }

  atRest(idle: boolean, equal: boolean, past: bigint): void {
    if (!idle) this.fault ||= 'never at rest';
    if (!equal) this.fault ||= 'sides differ';
    if (((1n << this.#writes) - 1n) & ~(past | this.#logged)) this.fault ||= 'write lost';
  }
}
