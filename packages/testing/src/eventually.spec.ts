import { expect, test } from 'vitest';
import { eventually } from './eventually.js';

test('asks again while the answer is no or an error, and returns the first yes', async () => {
  const answers = [false, null, undefined, new Error('not yet'), ''];
  const answer = await eventually('a yes', 5_000, () => {
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return next;
  });
  expect([answer, answers]).toEqual(['', []]);
});

test('says what it waited for, and why it was not so, when the time is over', async () => {
  const check = () => Promise.reject(new Error('still 3'));
  await expect(eventually('two', 100, check)).rejects.toThrow('waited 100 ms for two: still 3');
});

test('ends also where a check never settles', async () => {
  await expect(eventually('an answer', 100, () => new Promise(() => undefined))).rejects.toThrow(
    'waited 100 ms',
  );
});
