import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { GrantedRights, type NeededRights } from './granted-rights.js';
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
  const steps = await (await GrantedRights.read(owner)).grants(needed);
  await runSteps(owner, steps);
  return steps.map(({ what }) => what);
};
const revoke = async (holder: string, needed: NeededRights[] = []) => {
  const steps = (await GrantedRights.read(owner)).revocations((of) => of === holder, needed);
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
    'table "millrace"."granted", which remembers the rights that are granted',
    `USAGE on schema "shop" for "${role}"`,
    `SELECT, INSERT on table "shop"."or.ders" for "${role}"`,
  ]);
  expect(await rights()).toEqual(['usage', 'insert select']);
  expect(await grant(needs('a', 'select', 'insert'))).toEqual([]);
  expect(await revoke('a')).toEqual([
    `INSERT, SELECT on table "shop"."or.ders" revoked from "${role}"`,
    `USAGE on schema "shop" revoked from "${role}"`,
    'table "millrace"."granted", dropped',
  ]);
  expect(await rights()).toEqual(['', '']);
  expect(await revoke('a')).toEqual([]);
});

it('takes nothing back that the role had before', async () => {
  await owner.query(`grant usage on schema shop to ${role}; grant select on shop."or.ders" to ${role}`);
  await grant(needs('a', 'select', 'insert'));
  await revoke('a');
  expect(await rights()).toEqual(['usage', 'select']);
});

it('takes back with the last who needs it', async () => {
  await grant(needs('a', 'select', 'insert'));
  expect(await grant(needs('b', 'select'))).toEqual([
    `USAGE on schema "shop" for "${role}", which it has for another pipeline`,
    `SELECT on table "shop"."or.ders" for "${role}", which it has for another pipeline`,
  ]);
  await revoke('a');
  expect(await rights()).toEqual(['usage', 'select']);
  await revoke('b');
  expect(await rights()).toEqual(['', '']);
});

it('takes back what a holder needs no more', async () => {
  await grant(needs('a', 'select', 'insert'));
  expect(await revoke('a', needs('a', 'select'))).toEqual([
    `INSERT on table "shop"."or.ders" revoked from "${role}"`,
  ]);
  expect(await rights()).toEqual(['usage', 'select']);
  await revoke('a');
});

it('forgets what it granted on a table, or to a role, that is gone', async () => {
  await grant(needs('a', 'select'));
  await owner.query('drop table shop."or.ders"');
  await owner.query(`update millrace.granted set role = 'nobody' where kind = 'schema'`);
  expect(await revoke('a')).toEqual([
    `SELECT on table "shop"."or.ders" of "${role}": noted no more`,
    'USAGE on schema "shop" of "nobody": noted no more',
    'table "millrace"."granted", dropped',
  ]);
});

it('fails where the owner may not grant it, and notes nothing', async () => {
  const system = { kind: 'table' as const, name: '"pg_catalog"."pg_class"', role, holder: 'a' };
  await expect(grant([{ ...system, rights: ['insert'] }])).rejects.toThrow(
    'only its owner can grant insert on table "pg_catalog"."pg_class"',
  );
  const held = await owner.query(`select from millrace.granted`);
  expect(held.rowCount).toBe(0);
  await owner.query('drop table millrace.granted');
});
