import { compressFrameSync } from 'lz4-napi';
import { compress as snappyCompress } from 'snappyjs';
import { describe, expect, test } from 'vitest';
import { decompressLz4Frame } from './lz4-frame.js';
import { decompressSnappy } from './snappy-framed.js';

const LIMIT = 1_000_000;
const texts = {
  empty: Buffer.alloc(0),
  short: Buffer.from('a'),
  repeating: Buffer.from('abcabcabc'.repeat(20_000)),
  zeros: Buffer.alloc(300_000),
  mixed: Buffer.from(Array.from({ length: 200_000 }, (_, n) => (n * n * 31 + (n >> 3)) & 0xff)),
};

describe('LZ4 frames', () => {
  test.each(Object.entries(texts))('%s', (_, text) => {
    expect(decompressLz4Frame(compressFrameSync(text), LIMIT).equals(text)).toBe(true);
  });

  test('of more than the limit are refused before they are in memory', () => {
    const bomb = compressFrameSync(Buffer.alloc(LIMIT + 1));
    expect(() => decompressLz4Frame(bomb, LIMIT)).toThrow('more than 1000000 bytes');
  });

  test.each([
    ['no frame', Buffer.from('not an lz4 frame')],
    ['cut off', compressFrameSync(texts.mixed).subarray(0, 1_000)],
    ['empty', Buffer.alloc(0)],
  ])('%s is an error', (_, bytes) => {
    expect(() => decompressLz4Frame(bytes, LIMIT)).toThrow();
  });

  test('damaged in any byte, end with bytes or an error, never beyond the limit', () => {
    const frame = compressFrameSync(texts.repeating.subarray(0, 2_000));
    for (let at = 0; at < frame.length; at++) {
      const damaged = Buffer.from(frame);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      try {
        expect(decompressLz4Frame(damaged, 10_000).length).toBeLessThanOrEqual(10_000);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }
  });
});

describe('snappy', () => {
  const javaStream = (...blocks: Buffer[]) =>
    Buffer.concat([
      Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
      ...blocks.flatMap((block) => {
        const length = Buffer.alloc(4);
        const compressed = snappyCompress(block);
        length.writeUInt32BE(compressed.length);
        return [length, compressed];
      }),
    ]);

  test.each(Object.entries(texts))('%s, bare and in blocks', (_, text) => {
    expect(decompressSnappy(snappyCompress(text), LIMIT).equals(text)).toBe(true);
    expect(decompressSnappy(javaStream(text, text), LIMIT).equals(Buffer.concat([text, text]))).toBe(true);
  });

  test('of more than the limit is refused, also where several blocks make it', () => {
    const half = Buffer.alloc(LIMIT / 2 + 1);
    expect(() => decompressSnappy(snappyCompress(Buffer.alloc(LIMIT + 1)), LIMIT)).toThrow();
    expect(() => decompressSnappy(javaStream(half, half), LIMIT)).toThrow();
  });
});
