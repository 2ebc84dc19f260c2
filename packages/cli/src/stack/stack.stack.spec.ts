import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { StackEndpoints } from '@millrace/testing';
import { LOOPBACK, listeningAddresses } from '@millrace/testing';
import { MongoClient } from 'mongodb';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StackCommand } from './spec-support/command.js';

// In order: each test goes on with the stack as the one before it left it.

const NAMES = ['connect', 'kafka-1', 'kafka-2', 'kafka-3', 'mongod', 'postgres', 'registry'];
let stateDir: string;

beforeAll(async () => {
  // `mkdtemp` makes a folder that only its owner may enter.
  stateDir = await mkdtemp(join(tmpdir(), 'stack-'));
});

afterAll(async () => {
  await stack('down', '--volumes');
  await rm(stateDir, { recursive: true });
});

const stack = (...args: string[]) => new StackCommand(stateDir, ...args).outcome;
const up = () => stack('up', '--infra-only');

const endpoints = async () =>
  JSON.parse(await readFile(join(stateDir, 'stack.json'), 'utf8')) as StackEndpoints;
const pids = async () =>
  Object.fromEntries(Object.entries((await endpoints()).processes).map(([name, { pid }]) => [name, pid]));

/** Names of the processes on record that are there. */
const running = async () => {
  const files = (await readdir(join(stateDir, 'run')).catch(() => [])).filter((file) =>
    file.endsWith('.pid'),
  );
  const pids = await Promise.all(
    files.map(async (file) => parseInt(await readFile(join(stateDir, 'run', file), 'utf8'), 10)),
  );
  return files
    .filter((_, i) => existsSync(`/proc/${pids[i]}`))
    .map((file) => basename(file, '.pid'))
    .sort();
};

const portBase = async () =>
  (JSON.parse(await readFile(join(stateDir, 'settings.json'), 'utf8')) as { portBase: number }).portBase;

const untilRunning = (name: string) =>
  expect.poll(running, { timeout: 60_000, interval: 20 }).toContain(name);

/** What both databases hold: a word that a test has written earlier. */
const remember = async (word: string) => {
  await withDatabases(async (postgres, mongo) => {
    await postgres.query('CREATE TABLE IF NOT EXISTS remembered (word text)');
    await postgres.query('INSERT INTO remembered VALUES ($1)', [word]);
    await mongo
      .db('memory')
      .collection('remembered')
      .insertOne({ word }, { writeConcern: { w: 'majority' } });
  });
};

const remembered = () =>
  withDatabases(async (postgres, mongo) => {
    const { rows } = await postgres.query<{ word: string }>('SELECT word FROM remembered');
    const documents = await mongo.db('memory').collection('remembered').find().toArray();
    return [rows.map(({ word }) => word), documents.map(({ word }) => word as string)];
  });

const withDatabases = async <T>(work: (postgres: Client, mongo: MongoClient) => Promise<T>): Promise<T> => {
  const { databases } = await endpoints();
  const postgres = new Client({ connectionString: databases.postgresAdmin, connectionTimeoutMillis: 5_000 });
  const mongo = new MongoClient(databases.mongoAdmin, { serverSelectionTimeoutMS: 5_000 });
  await postgres.connect();
  try {
    return await work(postgres, mongo);
  } finally {
    await Promise.all([postgres.end(), mongo.close()]);
  }
};

it('stops what it had started when it is interrupted', async () => {
  const command = new StackCommand(stateDir, 'up', '--infra-only');
  await untilRunning('mongod');
  command.child.kill('SIGINT');
  const { code, output } = await command.outcome;
  expect(output).toContain('Interrupted');
  expect(code).toBe(130);
  expect(await running()).toEqual([]);
});

it('names a busy port, who needs it and the fix, and starts nothing', async () => {
  const port = (await portBase()) + 2;
  const server = createServer().listen(port, '127.0.0.1');
  try {
    const { code, output } = await up();
    expect(code).toBe(1);
    expect(output.trim()).toMatch(
      new RegExp(`^Port ${port}, which kafka-2 needs, .* MILLRACE_PORT_BASE .*\\.$`),
    );
    expect(await running()).toEqual([]);
  } finally {
    server.close();
  }
});

it('names the log and shows its end when a part does not start, and stops the others', async () => {
  const folder = join(stateDir, 'data', 'kafka-1');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'meta.properties'), 'version=1\nnode.id=9\ncluster.id=another\n');
  const { code, output } = await up();
  expect(code).toBe(1);
  expect(output).toMatch(/kafka-1 has ended\. Read \S+kafka-1\.log, which ends:\n.*node id 9/s);
  expect(await running()).toEqual([]);
  await rm(folder, { recursive: true });
});

it('starts everything, and writes every address and log to a file that only its owner may read', async () => {
  const { code, output } = await up();
  expect(output).toContain('The stack is up.');
  expect(code).toBe(0);
  expect((await stat(join(stateDir, 'stack.json'))).mode & 0o777).toBe(0o600);
  const { processes, kafka } = await endpoints();
  expect(Object.keys(processes).sort()).toEqual(NAMES);
  for (const { log } of Object.values(processes)) expect((await stat(log)).isFile()).toBe(true);
  // The registry's, which would stay in the machine's own folder.
  expect(await readdir(join(stateDir, 'tmp'))).not.toEqual([]);
  expect(kafka.bootstrapServers).toHaveLength(3);
  await remember('first');
});

it('listens on 127.0.0.1 alone', async () => {
  for (const [name, pid] of Object.entries(await pids())) {
    const addresses = await listeningAddresses(pid);
    expect(addresses.length, name).toBeGreaterThan(0);
    expect(
      addresses.filter((address) => !LOOPBACK.includes(address)),
      name,
    ).toEqual([]);
  }
});

it('shows that every part works, and the end of a log', async () => {
  expect((await stack('status')).output.match(/ works /g)).toHaveLength(NAMES.length);
  expect((await stack('logs', 'postgres', '-n', '1')).output.trim().split('\n')).toHaveLength(1);
  const { code, output } = await stack('logs', 'postgers');
  expect(code).toBe(1);
  expect(output).toMatch(/no log "postgers".*postgres/s);
});

it('says that it was up, and leaves it as it was', async () => {
  const before = await pids();
  const { code, output } = await up();
  expect(code).toBe(0);
  expect(output).toContain('The stack was up already.');
  expect(await pids()).toEqual(before);
});

it('starts only what was killed, and nothing of it is lost', async () => {
  const before = await pids();
  const victims = ['kafka-1', 'postgres', 'mongod', 'connect'];
  for (const name of victims) process.kill(before[name] ?? 0, 'SIGKILL');
  const { code, output } = await up();
  expect(output).toContain('The stack was up in part: started kafka-1, postgres, mongod, connect.');
  expect(code).toBe(0);
  const now = await pids();
  for (const name of NAMES) expect(now[name] === before[name], name).toBe(!victims.includes(name));
  expect(await remembered()).toEqual([['first'], ['first']]);
});

it('keeps its compiler while it runs, and says so to who wants another', async () => {
  const { code, output } = await stack('up', '--infra-only', '--jit', 'full');
  expect(output).toContain(
    'The stack runs with --jit quick: stop it with stack down before it starts with full.',
  );
  expect(code).toBe(1);
});

it('is down after down, keeps its data and its ports, and starts again behind a command that was killed', async () => {
  const base = await portBase();
  const down = await stack('down');
  expect(down.output).toContain('The stack is down.');
  expect(await running()).toEqual([]);
  expect((await stack('status')).output).toContain('The stack is down.');

  const killed = new StackCommand(stateDir, 'up', '--infra-only');
  await untilRunning('kafka-1');
  killed.child.kill('SIGKILL');
  await killed.outcome;

  const { code, output } = await up();
  expect(output).toContain('The stack was up in part');
  expect(code).toBe(0);
  expect(await running()).toEqual(NAMES);
  expect(await portBase()).toBe(base);
  expect(await remembered()).toEqual([['first'], ['first']]);
});

it('removes the data when it is told to', async () => {
  const { code } = await stack('down', '--volumes');
  expect(code).toBe(0);
  const kept = await readdir(stateDir);
  expect(['data', 'tmp'].filter((folder) => kept.includes(folder))).toEqual([]);
  expect((await stack('down')).output).toContain('Nothing was running.');
});
