import { types } from './internals.js';

/** Avro's `long` as a `bigint`: the whole range of 64 bits, where avsc's own stops at 2^53. */
export const bigLongType = types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  // A number where it is exact, as a schema's default has to be; JSON has no other that is.
  toJSON: (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()),
  isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  compare: (left: bigint, right: bigint) => (left === right ? 0 : left < right ? -1 : 1),
});
