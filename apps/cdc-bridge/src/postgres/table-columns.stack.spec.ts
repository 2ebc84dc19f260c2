import { expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { readColumns } from './table-columns.js';

it('tells which columns must have a value, and which have one in every change', async () => {
  await using databases = await Databases.create(inject('stack').databases);
  const owner = await databases.postgres('owner');
  await owner.query(`create domain words as text not null;
    create table plain (id int primary key, n int, w words);
    create table whole (n int); alter table whole replica identity full;
    create table parted (n int) partition by list (n); alter table parted replica identity full;
    create table part_one partition of parted for values in (1);
    create table part_two partition of parted for values in (2); alter table part_two replica identity full`);
  const found = async (table: string) => {
    const columns = await readColumns(owner, { schema: 'public', table });
    return columns.map(({ name, nullable, inEveryChange }) => [name, nullable, inEveryChange]);
  };
  expect(await found('plain')).toEqual([
    ['id', false, false],
    ['n', true, false],
    ['w', false, false],
  ]);
  expect(await found('whole')).toEqual([['n', true, true]]);
  // Each partition logs as it is itself.
  expect(await found('parted')).toEqual([['n', true, false]]);
  await owner.query('alter table part_one replica identity full');
  expect(await found('parted')).toEqual([['n', true, true]]);
});
