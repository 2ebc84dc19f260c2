import { describe, expect, test } from 'vitest';
import { DatabaseUnavailableError, isDatabaseUnavailable, reached } from './database-errors.js';

const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('the database is away', () => {
  test.each([
    ['refused, by Prisma', coded('P1001')],
    ['refused, by Node', coded('ECONNREFUSED')],
    ['no connection free', new Error('timeout exceeded when trying to connect')],
    ['cut, by node-postgres', new Error('Connection terminated unexpectedly')],
    ['shut down by an operator', coded('57P01')],
    [
      'a statement beyond its time',
      { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '57014' } } } },
    ],
    ['a deadlock', { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '40P01' } } } }],
    ['every address refused', new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')])],
  ])('%s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });
});

describe('another fault', () => {
  test.each([
    ['a unique key', coded('P2002')],
    [
      'a value that does not fit',
      { code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '22003' } } } },
    ],
    ['no right to', coded('42501', 'permission denied for table orders')],
    ['a mistake in the code', new TypeError('x is not a function')],
    ['no error at all', undefined],
  ])('%s', async (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
    await expect(reached(Promise.reject(error))).rejects.toBe(error);
  });

  test('a cause that leads back to itself is no endless search', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});

test('who asks is told once, with the cause', async () => {
  const cause = coded('ECONNRESET');
  const error = await reached(Promise.reject(cause)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DatabaseUnavailableError);
  expect(error).toMatchObject({ cause, canRetry: true });
  await expect(reached(Promise.reject(error))).rejects.toBe(error);
});
