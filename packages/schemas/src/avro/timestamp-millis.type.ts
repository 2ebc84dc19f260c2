import type avsc from 'avsc';
import { types } from './internals.js';

/** avsc's longs are exact below this only (their zigzag form has to stay below 2^53): the year 144683. */
const LIMIT_MS = 2 ** 52;

/** Avro's `timestamp-millis`: milliseconds since 1970 in UTC, in TypeScript a `Date`. */
export class TimestampMillisType extends types.LogicalType {
  protected override _fromValue(milliseconds: number): Date {
    checkRange(milliseconds);
    return new Date(milliseconds);
  }

  protected override _toValue(value: unknown): number {
    if (!(value instanceof Date)) throw new Error(`${typeof value} is not a timestamp: write it as a Date`);
    const milliseconds = value.getTime();
    checkRange(milliseconds);
    return milliseconds;
  }

  /** Not from a bare long: that may as well be the writer's microseconds, which would turn into a wrong date. */
  protected override _resolve(writer: avsc.Type): ((value: unknown) => unknown) | undefined {
    return writer instanceof TimestampMillisType ? (value) => value : undefined;
  }
}

function checkRange(milliseconds: number): void {
  if (Number.isNaN(milliseconds)) throw new Error('an invalid Date');
  if (Math.abs(milliseconds) >= LIMIT_MS) throw new Error(`${milliseconds} ms is beyond the year 144683`);
}
