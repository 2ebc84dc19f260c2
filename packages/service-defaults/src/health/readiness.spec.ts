import { expect, test } from 'vitest';
import { Readiness } from './readiness.js';

const never = () => new Promise<string[]>(() => {});

test('is ready without checks, and when every check has nothing to say', async () => {
  const readiness = new Readiness(1_000);
  expect(await readiness.reasons()).toEqual([]);

  readiness.register('database', async () => []);
  expect(await readiness.reasons()).toEqual([]);
});

test('names the reasons of all checks, in the order of registration', async () => {
  const readiness = new Readiness(1_000);
  readiness.register('database', async () => ['does not answer']);
  readiness.register('registry', async () => []);
  readiness.register('consumer', async () => ['has no group', 'partition 3 is paused']);

  expect(await readiness.reasons()).toEqual([
    { check: 'database', reason: 'does not answer' },
    { check: 'consumer', reason: 'has no group' },
    { check: 'consumer', reason: 'partition 3 is paused' },
  ]);
});

test('takes a check that fails as not ready, for the reason in its error', async () => {
  const readiness = new Readiness(1_000);
  readiness.register('database', async () => {
    throw new AggregateError([
      new Error('connect ECONNREFUSED ::1:5432'),
      new Error('connect ECONNREFUSED 127.0.0.1:5432'),
    ]);
  });
  readiness.register('registry', () => {
    throw new Error('no way to http://user:s3cret@127.0.0.1');
  });

  expect(await readiness.reasons()).toEqual([
    { check: 'database', reason: 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432' },
    { check: 'registry', reason: 'no way to http://user:***@127.0.0.1' },
  ]);
});

test('a check that does not answer is a reason, and hides no other', async () => {
  const readiness = new Readiness(20);
  readiness.register('hangs', never);
  readiness.register('database', async () => ['does not answer']);

  expect(await readiness.reasons()).toEqual([
    { check: 'hangs', reason: 'did not answer within 20 ms' },
    { check: 'database', reason: 'does not answer' },
  ]);
});

test('starts a running check only once, however many ask meanwhile', async () => {
  const readiness = new Readiness(1_000);
  const answer = Promise.withResolvers<string[]>();
  let runs = 0;
  readiness.register('database', () => {
    runs += 1;
    return answer.promise;
  });

  const asked = [readiness.reasons(), readiness.reasons(), readiness.reasons()];
  answer.resolve(['slow']);

  expect(await Promise.all(asked)).toEqual(Array(3).fill([{ check: 'database', reason: 'slow' }]));
  expect(runs).toBe(1);
  await readiness.reasons();
  expect(runs).toBe(2);
});

test('is not ready while shutting down, without asking anyone', async () => {
  const readiness = new Readiness(1_000);
  readiness.register('hangs', never);
  readiness.shutDown();

  expect(await readiness.reasons()).toEqual([{ check: 'shutdown', reason: 'the service is shutting down' }]);
});

test('forgets a check that was taken away, and refuses a name that is taken', async () => {
  const readiness = new Readiness(1_000);
  const takeAway = readiness.register('database', async () => ['away']);

  expect(() => readiness.register('database', async () => [])).toThrow('"database" is registered already');
  takeAway();
  expect(await readiness.reasons()).toEqual([]);
});
