import { randomUUID } from 'node:crypto';
import type { StackEndpoints } from '@millrace/testing';
import { MongoClient } from 'mongodb';

/** An inventory database of a test's own, with roles of its own: as deployed, but empty. */
export interface InventoryDatabase extends AsyncDisposable {
  /** As the role that migrates. */
  readonly ownerUrl: string;
  /** As the role of the service: reads and writes, and creates nothing. */
  readonly appUrl: string;
}

export async function createInventoryDatabase({ databases }: StackEndpoints): Promise<InventoryDatabase> {
  const name = `inventory_spec_${randomUUID().slice(0, 8)}`;
  const admin = new MongoClient(databases.mongoAdmin);
  const users = { owner: 'dbOwner', app: 'readWrite' };
  for (const [user, role] of Object.entries(users)) {
    await admin.db('admin').command({
      createUser: `${name}_${user}`,
      pwd: user,
      roles: [{ role, db: name }],
    });
  }
  const urlOf = (user: keyof typeof users) => {
    const url = new URL(databases.mongoAdmin);
    url.username = `${name}_${user}`;
    url.password = user;
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    ownerUrl: urlOf('owner'),
    appUrl: urlOf('app'),
    async [Symbol.asyncDispose]() {
      await admin.db(name).dropDatabase();
      for (const user of Object.keys(users)) await admin.db('admin').command({ dropUser: `${name}_${user}` });
      await admin.close();
    },
  };
}
