const MAGIC = 0x184d2204;
/** A block's length has this bit set where its bytes are stored as they are. */
const STORED = 0x80000000;
const MIN_MATCH = 4;

/**
 * Decompresses an LZ4 frame, as Kafka's clients write it, into at most `limit` bytes. Checksums are passed over: the
 * broker has verified the batch.
 *
 * @throws Error when the frame is not valid or holds more
 * @see https://github.com/lz4/lz4/blob/v1.10.0/doc/lz4_Frame_format.md
 */
export function decompressLz4Frame(frame: Buffer, limit: number): Buffer {
  if (frame.readUInt32LE(0) !== MAGIC) throw new Error('not an LZ4 frame');
  const flags = frame.readUInt8(4);
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  if (flags >> 6 !== 1 || hasDictionary) throw new Error(`an LZ4 frame of an unknown kind: flags ${flags}`);

  const output = new BoundedOutput(limit);
  let at = 7 + (hasContentSize ? 8 : 0);
  for (;;) {
    const size = frame.readUInt32LE(at);
    at += 4;
    if (size === 0) return output.bytes();
    const length = size & ~STORED;
    if (at + length > frame.length) throw new Error('an LZ4 frame that ends within a block');
    const block = frame.subarray(at, at + length);
    if (size >>> 31) output.append(block);
    else decompressBlock(block, output);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
}

/** @see https://github.com/lz4/lz4/blob/v1.10.0/doc/lz4_Block_format.md */
function decompressBlock(block: Buffer, output: BoundedOutput): void {
  let at = 0;
  const length = (fourBits: number): number => {
    let sum = fourBits;
    if (fourBits === 15) {
      let byte: number;
      do {
        byte = block.readUInt8(at++);
        sum += byte;
      } while (byte === 255);
    }
    return sum;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = length(token >> 4);
    if (at + literals > block.length) throw new Error('an LZ4 block that ends within its literals');
    output.append(block.subarray(at, at + literals));
    at += literals;
    if (at === block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    output.repeat(distance, length(token & 15) + MIN_MATCH);
  }
}

/** Grows as it is written, up to a limit. */
class BoundedOutput {
  #buffer = Buffer.allocUnsafe(64 * 1_024);
  #length = 0;

  constructor(private readonly limit: number) {}

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  /** Repeats what was written `distance` bytes ago; the copy may run into itself. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#length) throw new Error('an LZ4 match before the frame begins');
    this.#reserve(length);
    const end = this.#length + length;
    while (this.#length < end) {
      const from = this.#length - distance;
      const copied = Math.min(distance, end - this.#length);
      this.#buffer.copyWithin(this.#length, from, from + copied);
      this.#length += copied;
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.limit) throw new Error(`decompresses to more than ${this.limit} bytes`);
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.limit, Math.max(needed, this.#buffer.length * 2)));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
