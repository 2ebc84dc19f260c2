import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { tablesOfFault } from './fault-column.js';

it('finds the captured tables of a fault by the column that has no value and must have one', async () => {
  await using databases = await Databases.create(inject('stack').databases);
  const owner = await databases.postgres('owner');
  await owner.query(`create domain numbers as numeric[] not null;
    create table by_itself (n numeric[] not null); create table by_domain (n numbers);
    create table optional (n numeric[]); create table other (m numeric[] not null);
    create table elsewhere (n numeric[] not null)`);
  const pool = new pg.Pool({ connectionString: databases.postgresUrl('bridge') });
  try {
    const captured = ['by_itself', 'by_domain', 'optional', 'other'].map((name) => `public.${name}`);
    const text = 'DataException: Invalid value: null used for required field: "n", schema type: ARRAY';
    expect(await tablesOfFault(pool, text, captured)).toEqual(['public.by_domain', 'public.by_itself']);
    expect(await tablesOfFault(pool, 'the server is gone', captured)).toEqual([]);
  } finally {
    await pool.end();
  }
});
