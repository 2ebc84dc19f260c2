/** An exact decimal number as its digits without the point: a number while that is exact, else a bigint. */
export type Unscaled = number | bigint;

/** Integers of so many bytes are handled as numbers, which is several times as fast as bigint. */
const NUMBER_BYTES = 6;
/** Below 10^14, and so within `NUMBER_BYTES`. */
const NUMBER_DIGITS = 14;

const MINUS = 45;
const POINT = 46;
const ZERO = 48;

/** The unscaled value of "-12.5": undefined when the text is no decimal of these bounds. Nothing is rounded. */
export function parseDecimal(text: string, precision: number, scale: number): Unscaled | undefined {
  // A sign, a leading zero and a point beside the digits: anything longer is not worth a look at each character.
  if (text.length > precision + 3) return undefined;
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  let point = text.length;
  let value = 0;
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === POINT && point === text.length) point = index;
    else if (code >= ZERO && code <= ZERO + 9) value = value * 10 + (code - ZERO);
    else return undefined;
  }
  const whole = point - start;
  const fraction = Math.max(0, text.length - point - 1);
  const startsWithZero = text.charCodeAt(start) === ZERO;
  if (whole === 0 || point === text.length - 1 || (startsWithZero && whole > 1)) return undefined;
  if (fraction > scale || (startsWithZero ? 0 : whole) > precision - scale) return undefined;
  if (whole + scale <= NUMBER_DIGITS) return (start === 1 ? -value : value) * 10 ** (scale - fraction);
  return BigInt(text.slice(0, point) + text.slice(point + 1) + '0'.repeat(scale - fraction));
}

/** The text with exactly `scale` fraction digits; undefined when it has more digits than `precision`. */
export function formatDecimal(unscaled: Unscaled, precision: number, scale: number): string | undefined {
  const isNegative = unscaled < 0;
  const digits = (isNegative ? -unscaled : unscaled).toString();
  if (digits.length > precision) return undefined;
  const sign = isNegative ? '-' : '';
  if (scale === 0) return sign + digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** The fewest bytes that hold an integer in two's complement: what Java's BigInteger writes. */
export function sizeOf(value: Unscaled): number {
  if (typeof value === 'number') {
    let size = 1;
    for (let bound = 128; value >= bound || value < -bound; bound *= 256) size++;
    return size;
  }
  const hex = (value < 0n ? -value - 1n : value).toString(16);
  const bits = (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
  return (bits >> 3) + 1;
}

/** Reads big-endian two's complement. */
export function readInteger(bytes: Buffer, start: number, size: number): Unscaled {
  if (size <= NUMBER_BYTES) return bytes.readIntBE(start, size);
  return BigInt.asIntN(size * 8, BigInt(`0x${bytes.toString('hex', start, start + size)}`));
}

/** Writes big-endian two's complement; there must be room for it. */
export function writeInteger(value: Unscaled, bytes: Buffer, start: number, size: number): void {
  if (size <= NUMBER_BYTES) {
    bytes.writeIntBE(Number(value), start, size);
    return;
  }
  const unsigned = BigInt.asUintN(size * 8, BigInt(value)).toString(16);
  bytes.write(unsigned.padStart(size * 2, '0'), start, size, 'hex');
}
