import { types } from './internals.js';

/** avsc's own methods, which its declarations leave out. */
interface StringMethods {
  _check(value: unknown, ...rest: unknown[]): boolean;
  _write(tap: unknown, value: unknown): void;
}

const base = types.StringType.prototype as unknown as StringMethods;

/** Avro's `string`, refused where UTF-8 has no bytes for it: half a surrogate pair would be read back as another text. */
export class CheckedStringType extends types.StringType {
  _check(value: unknown, flags: unknown, hook?: (value: unknown, type: unknown) => void): boolean {
    if (typeof value !== 'string' || value.isWellFormed()) return base._check.call(this, value, flags, hook);
    hook?.(value, this);
    return false;
  }

  _write(tap: unknown, value: unknown): void {
    if (typeof value === 'string' && !value.isWellFormed()) throw new Error('half a surrogate pair');
    base._write.call(this, tap, value);
  }
}
