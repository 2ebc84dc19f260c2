import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RunningStack } from '../harness/running-stack.ts';
import { type RelayDatabases, SIDES } from './relay-databases.ts';

const ROOT = join(import.meta.dirname, '../..');
const PREPARE_TIMEOUT_MS = 180_000;
const START_TIMEOUT_MS = 120_000;

/** cdc-bridge as it is deployed, with one pipeline for each side; disposing undoes what it did. */
export async function runBridge(stack: RunningStack, databases: RelayDatabases): Promise<RunningBridge> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-relay-'));
  const file = join(folder, 'pipelines.yaml');
  await writeFile(file, JSON.stringify({ pipelines: pipelinesOf(databases) }));
  const port = await freePort();
  const env = { ...process.env, ...environment(stack, databases, file), PORT: String(port) };
  const bridge = new RunningBridge(folder, env, `http://127.0.0.1:${port}`, databases);
  try {
    await bridge.prepare('apply');
    return bridge;
  } catch (error) {
    await bridge[Symbol.asyncDispose]();
    throw error;
  }
}

export class RunningBridge implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #url: string;
  readonly #databases: RelayDatabases;
  #process: ChildProcess | undefined;

  constructor(folder: string, env: NodeJS.ProcessEnv, url: string, databases: RelayDatabases) {
    this.#folder = folder;
    this.#env = env;
    this.#url = url;
    this.#databases = databases;
  }

  /** Runs the deploy step. */
  async prepare(...args: string[]): Promise<void> {
    await promisify(execFile)(process.execPath, ['apps/cdc-bridge/dist/prepare.js', ...args], {
      cwd: ROOT,
      env: this.#env,
      timeout: PREPARE_TIMEOUT_MS,
    });
  }

  /** Starts the service, and resolves once every pipeline runs. */
  async start(): Promise<void> {
    this.#process = spawn(process.execPath, ['apps/cdc-bridge/dist/main.js'], {
      cwd: ROOT,
      env: this.#env,
      stdio: 'ignore',
    });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await this.#isRunning())) {
      if (performance.now() > deadline) throw new Error('cdc-bridge does not come to run its pipelines');
      await sleep(200);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process?.exitCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    for (const side of SIDES) {
      await this.prepare('remove', this.#databases.sideName(side), '--drop-slot').catch(console.error);
    }
    await rm(this.#folder, { recursive: true });
  }

  async #isRunning(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#url}/pipelines`, { signal: AbortSignal.timeout(5_000) });
      const { items } = (await response.json()) as { items: { state: string }[] };
      return items.every(({ state }) => state === 'running');
    } catch {
      return false;
    }
  }
}

function pipelinesOf(databases: RelayDatabases): object[] {
  return SIDES.map((side) => ({
    name: databases.sideName(side),
    from: { postgres: databases.sideName(side), table: 'public.orders' },
    to: { mongo: databases.name, collection: side },
  }));
}

function environment(stack: RunningStack, databases: RelayDatabases, file: string): Record<string, string> {
  const [owner, bridge, cdc] = ['_OWNER_URL', '_URL', '_CONNECTOR_URL'];
  const mongo = `MONGO_${databases.name.toUpperCase()}`;
  const sides = SIDES.flatMap((side) => {
    const variable = `POSTGRES_${databases.sideName(side).toUpperCase().replace('-', '_')}`;
    return [
      [variable + owner, databases.postgresUrl(side, 'owner')],
      [variable + bridge, databases.postgresUrl(side, 'bridge')],
      [variable + cdc, databases.postgresUrl(side, 'cdc')],
    ];
  });
  return {
    ...Object.fromEntries(sides),
    [mongo + owner]: databases.mongoUrl('owner'),
    [mongo + bridge]: databases.mongoUrl('bridge'),
    [mongo + cdc]: databases.mongoUrl('cdc'),
    KAFKA_BROKERS: stack.kafka.bootstrapServers.join(','),
    SCHEMA_REGISTRY_URL: stack.registry.url,
    CONNECT_URL: stack.connect.url,
    CONNECT_REGISTRY_URL: new URL('/apis/registry/v3', stack.registry.url).href,
    PIPELINES_FILE: file,
    LOG_LEVEL: 'error',
    NODE_ENV: 'production',
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
