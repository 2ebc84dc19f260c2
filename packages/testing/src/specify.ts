import { deepStrictEqual, throws } from 'node:assert/strict';

/**
 * Specifies a pure decision by examples:
 * `specify(decide).given(placed).when({ kind: 'cancel' }).thenExpect(cancelled)`.
 */
export function specify<Given, When, Then>(decide: (given: Given, when: When) => Then) {
  return {
    given: (given: Given) => ({
      when: (when: When) => ({
        thenExpect(expected: Then): void {
          deepStrictEqual(decide(given, when), expected);
        },
        /** @param expected properties that the error has, such as its `code`, or a pattern of its message */
        thenThrows(expected: RegExp | Readonly<Record<string, unknown>>): void {
          throws(() => decide(given, when), expected);
        },
      }),
    }),
  };
}
