import { MongoClient } from 'mongodb';
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from './databases.js';

let databases: Databases;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
});

afterEach(() => databases[Symbol.asyncDispose]());

it('has a role for the owner, the application, the bridge and Debezium, none of them a superuser', async () => {
  await expect(databases.checkRoles()).resolves.toBeUndefined();
});

it.each([
  ['superuser', /app may do too much in Postgres/],
  ['bypassrls', /app may do too much in Postgres/],
  ['replication', /app may do too much in Postgres/],
])('refuses a role of the application that is %s', async (attribute, fault) => {
  await asAdmin(`alter role ${databases.name}_app ${attribute}`);
  await expect(databases.checkRoles()).rejects.toThrow(fault);
});

it('refuses one that is a member of another', async () => {
  await asAdmin(`grant ${databases.name}_owner to ${databases.name}_bridge`);
  await expect(databases.checkRoles()).rejects.toThrow(/bridge is also \w+_owner/);
});

it.each(['root', 'clusterAdmin', 'readWriteAnyDatabase'])('refuses %s of MongoDB', async (role) => {
  await using mongo = await MongoClient.connect(databases.endpoints.mongoAdmin);
  const roles = [{ role, db: 'admin' }];
  await mongo.db('admin').command({ grantRolesToUser: `${databases.name}_bridge`, roles });
  await expect(databases.checkRoles()).rejects.toThrow(`bridge has ${role} on admin`);
});

async function asAdmin(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: databases.endpoints.postgresAdmin });
  await admin.connect();
  await admin.query(statement).finally(() => admin.end());
}
