import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { Databases } from '../testing/databases.js';
import { OpenDatabases } from './open-databases.js';

let databases: Databases;
let open: OpenDatabases;

beforeEach(async () => {
  databases = await Databases.create(inject('stack').databases);
  open = new OpenDatabases([{ kind: 'postgres', name: 'orders', url: databases.postgresUrl('bridge') }]);
});

afterEach(async () => {
  await open.close();
  await databases[Symbol.asyncDispose]();
});

it('lets no statement, no wait for a lock and no transaction at rest last for long', async () => {
  const owner = await databases.postgres('owner');
  await owner.query('create table held (id int); grant select on held to public');
  await owner.query('begin; lock table held');
  const { pool } = open.postgres('orders');
  const resting = await pool.connect();
  const ended = once(
    resting.on('error', () => {}),
    'error',
  );
  await resting.query('begin');
  await Promise.all([
    expect(pool.query('select pg_sleep(120)')).rejects.toMatchObject({ code: '57014' }),
    expect(pool.query('select from held')).rejects.toMatchObject({ code: '55P03' }),
    expect(ended).resolves.toMatchObject([{ code: '25P03' }]),
  ]);
  resting.release(true);
  await owner.query('rollback');
  expect((await pool.query('select from held')).rowCount).toBe(0);
}, 60_000);

it('gives up a database that takes connections and never answers', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await using never = new OpenDatabases([
    { kind: 'postgres', name: 'orders', url: `postgres://bridge:bridge@${host}/orders` },
    { kind: 'mongo', name: 'stock', url: `mongodb://bridge:bridge@${host}/stock?directConnection=true` },
  ]);
  try {
    await Promise.all([
      expect(never.postgres('orders').pool.query('select 1')).rejects.toThrow(/timeout/),
      expect(never.mongo('stock').db.command({ ping: 1 })).rejects.toThrow(/timed out|ECONN/),
    ]);
  } finally {
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
}, 60_000);
