import { uncompress } from 'snappyjs';

const JAVA_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const JAVA_HEADER_BYTES = 16;

/**
 * Decompresses what Kafka calls snappy into at most `limit` bytes: bare snappy, or the blocks of snappy-java's stream,
 * which Java clients write.
 *
 * @throws Error when the bytes are not valid or hold more
 * @see https://github.com/xerial/snappy-java#compatibility-notes
 */
export function decompressSnappy(bytes: Buffer, limit: number): Buffer {
  if (!bytes.subarray(0, JAVA_MAGIC.length).equals(JAVA_MAGIC)) return uncompress(bytes, limit);
  const blocks: Buffer[] = [];
  let room = limit;
  for (let at = JAVA_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    at += 4;
    if (at + length > bytes.length) throw new Error('a snappy stream that ends within a block');
    const block = uncompress(bytes.subarray(at, at + length), room);
    blocks.push(block);
    room -= block.length;
    at += length;
  }
  return Buffer.concat(blocks);
}
