import avsc from 'avsc';
import { formatDecimal, parseDecimal, readInteger, sizeOf, type Unscaled, writeInteger } from './decimal.js';
import { type Tap, truncated, types } from './internals.js';

/**
 * Avro's `decimal`: an exact number, in TypeScript a string with exactly `scale` fraction digits ("12.5000").
 * Written from a string with at most that many; nothing is ever rounded.
 *
 * On the wire: the unscaled integer as big-endian two's complement, in `bytes` or `fixed`
 * (https://avro.apache.org/docs/1.12.0/specification/#decimal). It is read and written in place: avsc's own way
 * for logical types makes a buffer for each value, at twice the cost of the rest.
 */
export class DecimalType extends types.LogicalType {
  readonly precision: number;
  readonly scale: number;
  /** The size on the wire: of all values where it is fixed, else of the largest. */
  readonly #size: number;
  readonly #isFixed: boolean;

  constructor(schema: avsc.Schema, options?: unknown) {
    super(schema, options);
    const { precision, scale = 0 } = schema as { precision?: unknown; scale?: unknown };
    if (!isCount(precision) || precision < 1) throw new Error('a decimal needs a precision of at least 1');
    if (!isCount(scale) || scale > precision) throw new Error("a decimal's scale is from 0 to its precision");
    const underlying = this.underlyingType;
    if (!avsc.Type.isType(underlying, 'bytes', 'fixed'))
      throw new Error('a decimal is written as bytes or fixed');
    this.precision = precision;
    this.scale = scale;
    const largest = sizeOf(10n ** BigInt(precision) - 1n);
    this.#isFixed = underlying instanceof types.FixedType;
    this.#size = underlying instanceof types.FixedType ? underlying.size : largest;
    if (largest > this.#size) throw new Error(`${precision} digits do not fit ${this.#size} bytes`);
  }

  _read(tap: Tap): string {
    const size = this.#isFixed ? this.#size : tap.readLong();
    const start = tap.pos;
    if (start > tap.buf.length - size) throw truncated();
    tap.pos += size;
    return this.#textOf(tap.buf, start, size);
  }

  /** @throws Error saying what is wrong with the value; avsc adds no field name, `explainInvalid` does. */
  _write(tap: Tap, value: unknown): void {
    const unscaled = this.#unscaledOf(value);
    const size = this.#isFixed ? this.#size : sizeOf(unscaled);
    if (!this.#isFixed) tap.writeLong(size);
    const start = tap.pos;
    tap.pos += size;
    // Beyond the end avsc writes nothing, and begins again with the room that `pos` then tells.
    if (tap.pos <= tap.buf.length) writeInteger(unscaled, tap.buf, start, size);
  }

  protected override _fromValue(bytes: Buffer): string {
    return this.#textOf(bytes, 0, bytes.length);
  }

  protected override _toValue(value: unknown): Buffer {
    const unscaled = this.#unscaledOf(value);
    const bytes = Buffer.alloc(this.#isFixed ? this.#size : sizeOf(unscaled));
    writeInteger(unscaled, bytes, 0, bytes.length);
    return bytes;
  }

  /** A decimal is readable as one with the same scale and at least as many digits: any other would change it. */
  protected override _resolve(writer: avsc.Type): ((value: unknown) => unknown) | undefined {
    if (!(writer instanceof DecimalType)) return undefined;
    return writer.scale === this.scale && writer.precision <= this.precision ? (value) => value : undefined;
  }

  protected override _export(attributes: avsc.Schema): void {
    Object.assign(attributes, { precision: this.precision, scale: this.scale });
  }

  #textOf(bytes: Buffer, start: number, size: number): string {
    if (!(size >= 1 && size <= this.#size))
      throw new Error(`${size} bytes are not a decimal of ${this.precision} digits`);
    const text = formatDecimal(readInteger(bytes, start, size), this.precision, this.scale);
    if (text === undefined) throw new Error(`a decimal of more than ${this.precision} digits`);
    return text;
  }

  #unscaledOf(value: unknown): Unscaled {
    if (typeof value !== 'string') throw new Error(`${typeof value} is not a decimal: write it as a string`);
    const unscaled = parseDecimal(value, this.precision, this.scale);
    if (unscaled === undefined) throw new Error(this.#fault(value));
    return unscaled;
  }

  #fault(value: string): string {
    const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
    const fraction = /^-?\d+\.(\d+)$/.exec(value.slice(0, 1_000))?.[1]?.length ?? 0;
    if (fraction > this.scale) return `"${shown}" has ${fraction} fraction digits, more than ${this.scale}`;
    const whole = this.precision - this.scale;
    return `"${shown}" is not a decimal of at most ${whole} digits and ${this.scale} fraction digits`;
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
