import { eventually } from '@millrace/testing';
import { expect, inject, it } from 'vitest';
import { PairUnderTest } from './testing/pair.under-test.js';

it('tells where Postgres looks for deadlocks sooner than the bridge lets go of its locks', async () => {
  await using pair = await PairUnderTest.open(inject('stack'), {
    table: 'public.customers',
    collection: 'customers',
    conflict: { priority: 'postgres' },
  });
  const { databases } = pair;
  await (await databases.postgres('owner')).query('create table customers (id int primary key, name text)');
  await pair.preparation((preparation) => preparation.apply());
  const reports = async () => {
    const service = pair.start();
    await eventually('the pair to run', 30_000, () => service.isRunning);
    const { reports: told } = await service.status();
    await service.close();
    return told;
  };
  expect(await reports()).toEqual([]);
  await (await databases.superuser()).query(`alter database ${databases.name} set deadlock_timeout = '50ms'`);
  expect(await reports()).toEqual([expect.stringMatching(/^deadlock_timeout is 50 ms: .*set it to 1000 ms/)]);
});
