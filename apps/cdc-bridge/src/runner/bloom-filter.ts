import { hash, randomBytes } from 'node:crypto';

/** 16 MB. Of a million texts, another one passes for one of them about once in a million times; of ten, in 230. */
const BITS = 2 ** 27;
const BYTES_OF_INDEX = 4;
const INDEXES = 4;

/**
 * A set of any number of texts in bounded memory, which may take another text for one of its own, but never one of its
 * own for another (Bloom 1970). Each filter errs about other texts.
 */
export class BloomFilter {
  readonly #bits = new Uint8Array(BITS / 8);
  readonly #salt = randomBytes(8).toString('hex');

  add(text: string): void {
    for (const index of this.#indexes(text)) {
      const byte = this.#bits[index >>> 3] ?? 0;
      this.#bits[index >>> 3] = byte | (1 << (index & 7));
    }
  }

  has(text: string): boolean {
    return this.#indexes(text).every((index) => ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0);
  }

  #indexes(text: string): number[] {
    const bytes = hash('sha256', this.#salt + text, 'buffer');
    return Array.from({ length: INDEXES }, (_, i) => bytes.readUInt32BE(i * BYTES_OF_INDEX) % BITS);
  }
}
