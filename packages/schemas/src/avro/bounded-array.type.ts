import { type Readable, readBlockCount, skipSizedBlock, type Tap, types } from './internals.js';

/** Blocks up to this long get their memory at once; longer ones grow, as the count may be a lie. */
const PREALLOCATE_AT_MOST = 1_024;

/**
 * An array that cannot claim more items than its bytes can hold. avsc's own takes five bytes of `array<null>` for
 * 50 million items. The price: an array whose items take no bytes (of nulls, of empty records) is refused.
 */
export class BoundedArrayType extends types.ArrayType {
  /** Runs on the type, and on a resolver that reads this type: both have `itemsType`. */
  _read(this: { readonly itemsType: Readable }, tap: Tap): unknown[] {
    const items = this.itemsType;
    let result: unknown[] = [];
    let length = 0;
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      if (count < 0) {
        tap.skipLong();
        count = -count;
      }
      if (length === 0 && count <= PREALLOCATE_AT_MOST) result = new Array(count);
      const start = tap.pos;
      while (count-- > 0) {
        result[length++] = items._read(tap);
        if (tap.pos === start) throw new Error('an array of items that take no bytes');
      }
    }
    return result;
  }

  _skip(this: { readonly itemsType: unknown }, tap: Tap): void {
    const items = this.itemsType as Readable;
    for (let count = readBlockCount(tap); count !== 0; count = readBlockCount(tap)) {
      if (count < 0) {
        skipSizedBlock(tap);
        continue;
      }
      const start = tap.pos;
      while (count-- > 0) {
        items._skip(tap);
        if (tap.pos === start) throw new Error('an array of items that take no bytes');
      }
    }
  }
}
