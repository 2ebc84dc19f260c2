import avsc from 'avsc';

/**
 * avsc's reading position. It never throws when it runs past the end: whoever reads in a loop must look at
 * `pos` and `buf.length` himself.
 */
export interface Tap {
  readonly buf: Buffer;
  pos: number;
  readLong(): number;
  readString(): string | undefined;
  writeLong(value: number): void;
  skipLong(): void;
  skipString(): void;
}

/** What avsc's types and resolvers have in common, and its declarations leave out (avsc 5.7, lib/types.js). */
export interface Readable {
  _read(tap: Tap): unknown;
  _skip(tap: Tap): void;
}

/** The message that avsc's own `fromBuffer` has for the same fault. */
export const truncated = () => new Error('truncated buffer');

/**
 * Skips a block whose size in bytes the writer stated. avsc believes that size, so that a negative one would send
 * it back to read the same block for ever.
 */
export function skipSizedBlock(tap: Tap): void {
  const size = tap.readLong();
  if (!(size >= 0 && size <= tap.buf.length - tap.pos)) throw truncated();
  tap.pos += size;
}

/**
 * The number of items in the block that starts here: negative when the block's size in bytes follows, 0 at the end.
 *
 * @throws Error when it is more than there are bytes left: each item has at least one.
 */
export function readBlockCount(tap: Tap): number {
  const count = tap.readLong();
  if (!(Math.abs(count) <= tap.buf.length - tap.pos)) {
    throw new Error(`a block claims ${Math.abs(count)} items with ${tap.buf.length - tap.pos} bytes left`);
  }
  return count;
}

export const { types } = avsc;
