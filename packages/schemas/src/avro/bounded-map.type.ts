import { type Readable, readBlockCount, skipSizedBlock, type Tap, truncated, types } from './internals.js';

/**
 * A map that cannot claim more entries than its bytes can hold, and that keeps every key: it has no prototype, so
 * that `__proto__` is a key like any other, where avsc's own would set the prototype and lose the entry.
 */
export class BoundedMapType extends types.MapType {
  /** Runs on the type, and on a resolver that reads this type: both have `valuesType`. */
  _read(this: { readonly valuesType: Readable }, tap: Tap): Record<string, unknown> {
    const values = this.valuesType;
    const result: Record<string, unknown> = Object.create(null);
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      if (count < 0) {
        tap.skipLong();
        count = -count;
      }
      while (count-- > 0) {
        const key = tap.readString();
        if (key === undefined) throw truncated();
        result[key] = values._read(tap);
      }
    }
    return result;
  }

  _skip(this: { readonly valuesType: Readable }, tap: Tap): void {
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      if (count < 0) {
        skipSizedBlock(tap);
        continue;
      }
      while (count-- > 0) {
        tap.skipString();
        this.valuesType._skip(tap);
      }
    }
  }
}
