import type avsc from 'avsc';

const FAULTS_AT_MOST = 20;

/** An avsc logical type of ours: its `_toValue` says what is wrong with a value. */
interface Explaining {
  _toValue(value: unknown): unknown;
}

/**
 * Each field of a value that its type does not take, with the reason: `lines.0.unitPrice: "1.23456" has 5
 * fraction digits, more than 4`. Empty when the value is valid.
 */
export function explainInvalid(type: avsc.Type, value: unknown): string[] {
  const faults: string[] = [];
  type.isValid(value, {
    errorHook: (path, invalid: unknown, expected) => {
      if (faults.length < FAULTS_AT_MOST) {
        faults.push(`${path.join('.') || 'the event'}: ${reason(expected, invalid)}`);
      }
    },
  });
  return faults;
}

function reason(expected: avsc.Type, value: unknown): string {
  if (expected.typeName.startsWith('logical:')) {
    try {
      (expected as unknown as Explaining)._toValue(value);
    } catch (error) {
      return (error as Error).message;
    }
  }
  const name = expected.typeName === 'abstract:long' ? 'bigint within 64 bits' : expected.typeName;
  return `${show(value)} is not ${name}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  return value !== null && typeof value === 'object' ? 'an object' : String(value);
}
