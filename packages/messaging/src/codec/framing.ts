import type avsc from 'avsc';

/** Confluent's wire format begins with a zero byte and the schema's id in four bytes, big-endian. */
export const HEADER_BYTES = 5;
export const MAGIC_BYTE = 0;

/** Memory is taken in blocks of this size. */
const BLOCK_BYTES = 32 * 1_024;
/** An event above this has its memory to itself, so that little of a block is left unused. */
const SHARING_BYTES = 4 * 1_024;

/**
 * Encodes each event straight to the place where it stays, one after the other in a block that is never written
 * twice. avsc's own `toBuffer` encodes into a buffer that it uses again, and hands out a copy.
 */
export class Framing {
  #block: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #used = 0;

  /** @throws Error when the type does not take the value */
  encode(type: avsc.Type, id: number, value: unknown): Buffer {
    const end = type.encode(value, this.#block, this.#used + HEADER_BYTES);
    if (end >= 0) return this.#take(end, id);
    // Then -end is how many bytes were missing.
    const size = this.#block.length - this.#used - end;
    if (size > SHARING_BYTES) return withHeader(encoded(type, value, Buffer.allocUnsafeSlow(size), size), id);
    this.#block = encoded(type, value, Buffer.allocUnsafeSlow(BLOCK_BYTES), size);
    this.#used = 0;
    return this.#take(size, id);
  }

  #take(end: number, id: number): Buffer {
    const bytes = this.#block.subarray(this.#used, end);
    this.#used = end;
    return withHeader(bytes, id);
  }
}

function encoded(type: avsc.Type, value: unknown, bytes: Buffer, size: number): Buffer {
  if (type.encode(value, bytes, HEADER_BYTES) !== size)
    throw new Error('the value changed while it was encoded');
  return bytes;
}

function withHeader(bytes: Buffer, id: number): Buffer {
  bytes[0] = MAGIC_BYTE;
  bytes.writeUInt32BE(id, 1);
  return bytes;
}
