import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { forgetGrants, grantSteps, type NeededRights, revokeSteps } from './granted-rights.js';
import { runSteps } from './owner.connection.js';

let databases: Databases;
let owner: pg.Client;
let role: string;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  owner = await databases.postgres('owner');
  role = `${databases.name}_bridge`;
});

afterAll(() => databases?.[Symbol.asyncDispose]());

beforeEach(async () => {
  await owner.query(`drop schema if exists shop cascade; create schema shop;
    create table shop."or.ders" (id serial primary key)`);
});

const needs = (holder: string, ...rights: string[]): NeededRights[] => [
  { kind: 'schema', name: '"shop"', role, rights: ['usage'], holder },
  { kind: 'table', name: '"shop"."or.ders"', role, rights, holder },
];
const grant = async (needed: NeededRights[]) => {
  const steps = await grantSteps(owner, needed);
  await runSteps(owner, steps);
  return steps.map(({ what }) => what);
};
const revoke = async (...holders: string[]) => {
  const steps = await revokeSteps(owner, holders);
  await runSteps(owner, steps);
  return steps.map(({ what }) => what);
};
/** Of the schema, then of the table. */
async function rights(): Promise<string[]> {
  const { rows } = await owner.query<{ rights: string }>(
    `select coalesce((select string_agg(lower(a.privilege_type), ' ' order by a.privilege_type)
       from aclexplode(acl) a where a.grantee = to_regrole($1)), '') as rights
     from (select 1, nspacl from pg_namespace where nspname = 'shop'
       union all select 2, relacl from pg_class where oid = to_regclass('shop."or.ders"')) as given(n, acl) order by n`,
    [role],
  );
  return rows.map((row) => row.rights);
}

it('grants what is lacking, says so, and does nothing the second time', async () => {
  expect(await grant(needs('a', 'select', 'insert'))).toEqual([
    `USAGE on schema "shop" for "${role}"`,
    `SELECT, INSERT on table "shop"."or.ders" for "${role}"`,
  ]);
  expect(await rights()).toEqual(['usage', 'insert select']);
  expect(await grant(needs('a', 'select', 'insert'))).toEqual([]);
  expect(await revoke('a')).toEqual([
    `INSERT, SELECT on table "shop"."or.ders" revoked from "${role}"`,
    `USAGE on schema "shop" revoked from "${role}"`,
  ]);
  expect(await rights()).toEqual(['', '']);
});

it('takes nothing back that the role had before', async () => {
  await owner.query(`grant usage on schema shop to ${role}; grant select on shop."or.ders" to ${role}`);
  expect(await grant(needs('a', 'select', 'insert'))).toHaveLength(1);
  await revoke('a');
  expect(await rights()).toEqual(['usage', 'select']);
});

it('takes back with the last who needs it', async () => {
  await grant(needs('a', 'select', 'insert'));
  await grant(needs('b', 'select'));
  await revoke('a');
  expect(await rights()).toEqual(['usage', 'select']);
  await revoke('b');
  expect(await rights()).toEqual(['', '']);
});

it('forgets what it granted on a table that is gone, and its own table with the last note', async () => {
  await grant(needs('a', 'select'));
  await owner.query('drop table shop."or.ders"');
  expect(await forgetGrants(owner)).toEqual([]);
  await revoke('a');
  await runSteps(owner, await forgetGrants(owner));
  const { rows } = await owner.query(`select to_regclass('millrace.granted') as there`);
  expect(rows).toEqual([{ there: null }]);
  expect(await revoke('a')).toEqual([]);
});
