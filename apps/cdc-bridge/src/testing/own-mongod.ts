import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveRuntimes } from '@millrace/stack';
import { eventually } from '@millrace/testing';
import { Long, MongoClient, type Timestamp } from 'mongodb';

const HOST = '127.0.0.1';
const REPLICA_SET = 'own';
const ADMIN = { user: 'admin', pwd: 'own-mongod' };
const FILLER_BYTES = 64 * 1_024;
/** Bounds what is written to make the oplog roll over. */
const MOST_FILLERS = 2_000;

/**
 * A MongoDB of a test's own beside the stack's, with an oplog of a few megabytes, so that it rolls over within
 * seconds. Disposing ends it and removes its files.
 */
export class OwnMongod implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(oplogMb: number): Promise<OwnMongod> {
    const { mongod } = await resolveRuntimes(() => {});
    const folder = await mkdtemp(join(tmpdir(), 'own-mongod-'));
    const [dbpath, keyFile, port] = [join(folder, 'data'), join(folder, 'key'), await freePort()];
    await mkdir(dbpath);
    await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o600 });
    const child = spawn(
      mongod,
      [
        ...['--dbpath', dbpath, '--keyFile', keyFile, '--auth'],
        ...['--port', String(port), '--bind_ip', HOST, '--nounixsocket'],
        ...['--replSet', REPLICA_SET, '--oplogSize', String(oplogMb)],
        // The oplog is cut no later than the last checkpoint of the data.
        ...['--syncdelay', '1', '--wiredTigerCacheSizeGB', '0.25'],
        ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      ],
      { stdio: 'ignore' },
    );
    const own = new OwnMongod(child, folder, port);
    try {
      await own.#initiate();
      return own;
    } catch (error) {
      await own[Symbol.asyncDispose]();
      throw error;
    }
  }

  get adminUrl(): string {
    const { user, pwd } = ADMIN;
    return `mongodb://${user}:${pwd}@${HOST}:${this.port}/?replicaSet=${REPLICA_SET}&authSource=admin`;
  }

  /** Writes elsewhere until the oplog holds nothing of what was written before this call. */
  async rollOver(): Promise<void> {
    await using client = await MongoClient.connect(this.adminUrl);
    const filler = client.db('filler').collection<{ _id: number; text: string }>('filler');
    const oplog = client.db('local').collection<{ ts: Timestamp }>('oplog.rs');
    const end = async (direction: 1 | -1) =>
      Long.fromValue((await oplog.findOne({}, { sort: { $natural: direction } }))?.ts ?? Long.ZERO);
    const before = await end(-1);
    for (let written = 0; (await end(1)).lessThanOrEqual(before); written++) {
      if (written === MOST_FILLERS) throw new Error('the oplog does not roll over');
      await filler.replaceOne(
        { _id: 0 },
        { text: randomBytes(FILLER_BYTES / 2).toString('hex') },
        { upsert: true },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.child.exitCode === null && once(this.child, 'close');
    this.child.kill('SIGKILL');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Until there is a user, MongoDB lets this machine in without one. */
  async #initiate(): Promise<void> {
    const address = `${HOST}:${this.port}`;
    const url = `mongodb://${address}/?directConnection=true`;
    await using client = await eventually('the mongod to answer', 60_000, () =>
      MongoClient.connect(url, { serverSelectionTimeoutMS: 500 }),
    );
    const admin = client.db('admin');
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host: address }] } });
    await eventually('a primary', 60_000, async () => (await admin.command({ hello: 1 })).isWritablePrimary);
    await admin.command({ createUser: ADMIN.user, pwd: ADMIN.pwd, roles: ['root'] });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
