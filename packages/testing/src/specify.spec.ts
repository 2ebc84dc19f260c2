import { expect, test } from 'vitest';
import { specify } from './specify.js';

const divide = specify((dividend: number, divisor: number) => {
  if (divisor === 0) throw Object.assign(new Error('division by zero'), { code: 'BY_ZERO' });
  return { quotient: dividend / divisor };
});

test('passes where the decision is as specified, and fails where it is not', () => {
  divide.given(6).when(3).thenExpect({ quotient: 2 });
  expect(() => divide.given(6).when(3).thenExpect({ quotient: 3 })).toThrow();
  divide.given(6).when(0).thenThrows({ code: 'BY_ZERO' });
  divide
    .given(6)
    .when(0)
    .thenThrows(/by zero/);
  expect(() =>
    divide
      .given(6)
      .when(3)
      .thenThrows(/by zero/),
  ).toThrow();
});
