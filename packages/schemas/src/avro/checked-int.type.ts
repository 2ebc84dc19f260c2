import { type Tap, types } from './internals.js';

/** Avro's `int`, refused where the writer's bytes hold more than 32 bits: avsc's own would return that number. */
export class CheckedIntType extends types.IntType {
  _read(tap: Tap): number {
    const value = tap.readLong();
    if (value !== (value | 0)) throw new Error(`${value} is not a 32-bit int`);
    return value;
  }
}
