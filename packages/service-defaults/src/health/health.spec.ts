import { afterEach, expect, test } from 'vitest';
import { createTinyService } from '../spec-support/start-tiny-service.js';
import { Readiness } from './readiness.js';

let service: Awaited<ReturnType<typeof createTinyService>>;

afterEach(() => service.app.close());

test('is ready with status 200, not ready with 503 and every reason', async () => {
  service = await createTinyService();
  const ready = await service.app.inject('/health/ready');
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ready', reasons: [] }]);

  service.app.get(Readiness).register('database', async () => ['does not answer']);
  service.app.get(Readiness).register('consumer', async () => ['has no group', 'partition 3 is paused']);
  const notReady = await service.app.inject('/health/ready');
  expect([notReady.statusCode, notReady.json()]).toEqual([
    503,
    {
      status: 'not ready',
      reasons: [
        { check: 'database', reason: 'does not answer' },
        { check: 'consumer', reason: 'has no group' },
        { check: 'consumer', reason: 'partition 3 is paused' },
      ],
    },
  ]);
});

test('tells notes, and is ready all the same', async () => {
  service = await createTinyService();
  service.app.get(Readiness).registerNotes('pipelines', async () => ['a key is parked']);
  const ready = await service.app.inject('/health/ready');
  expect([ready.statusCode, ready.json()]).toEqual([
    200,
    { status: 'ready', reasons: [], notes: [{ check: 'pipelines', reason: 'a key is parked' }] },
  ]);
});

test('is live whatever is outside, and asks nobody', async () => {
  service = await createTinyService();
  service.app.get(Readiness).register('database', () => {
    throw new Error('must not be asked');
  });

  const live = await service.app.inject('/health/live');

  expect([live.statusCode, live.json()]).toEqual([200, { status: 'live' }]);
});
