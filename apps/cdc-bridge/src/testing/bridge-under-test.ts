import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ConnectApi } from '@millrace/messaging';
import { eventually, type StackEndpoints } from '@millrace/testing';
import { changeTopic, connectorName } from '../names/bridge-names.js';
import type { PipelineStatus } from '../runner/pipeline.service.js';
import { BridgeInstance } from './bridge-instance.js';
import { Databases } from './databases.js';
import { removeTopics } from './remove-topics.js';

const PREPARE = fileURLToPath(new URL('../../dist/prepare.js', import.meta.url));
const run = promisify(execFile);

/** The names by which a pipelines file calls the two databases of the test. */
export interface DatabaseNames {
  readonly postgres: string;
  readonly mongo: string;
}

/**
 * The built bridge, as it is deployed, over databases of a test's own and the brokers, registry and Connect of the
 * stack: `prepare`, then any number of processes, each to be killed, stopped or frozen. Disposing ends them and
 * removes connectors, slots and databases; the topics go with the stack.
 */
export class BridgeUnderTest implements AsyncDisposable {
  readonly instances: BridgeInstance[] = [];
  readonly connect: ConnectApi;
  readonly names: DatabaseNames;

  private constructor(
    readonly stack: StackEndpoints,
    readonly databases: Databases,
    readonly folder: string,
    readonly extraEnv: NodeJS.ProcessEnv,
  ) {
    const unique = databases.name.replaceAll('_', '');
    this.names = { postgres: `pg${unique}`, mongo: `mo${unique}` };
    this.connect = new ConnectApi(stack.connect.url);
  }

  /** @param env added to the environment of `prepare` and of every instance */
  static async create(stack: StackEndpoints, env: NodeJS.ProcessEnv = {}): Promise<BridgeUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'bridge-under-test-'));
    return new BridgeUnderTest(stack, await Databases.create(stack.databases), folder, env);
  }

  /** What is deployed: the environment of `prepare` and of the service. */
  get env(): NodeJS.ProcessEnv {
    const { stack, databases } = this;
    const [postgres, mongo] = [this.names.postgres, this.names.mongo].map((name) => name.toUpperCase());
    return {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      KAFKA_BROKERS: stack.kafka.bootstrapServers.join(','),
      SCHEMA_REGISTRY_URL: stack.registry.url,
      CONNECT_URL: stack.connect.url,
      CONNECT_REGISTRY_URL: new URL('/apis/registry/v3', stack.registry.url).toString(),
      PIPELINES_FILE: this.file,
      [`POSTGRES_${postgres}_URL`]: databases.postgresUrl('bridge'),
      [`POSTGRES_${postgres}_OWNER_URL`]: databases.postgresUrl('owner'),
      [`POSTGRES_${postgres}_CONNECTOR_URL`]: databases.postgresUrl('cdc'),
      [`MONGO_${mongo}_URL`]: this.mongoUrl('bridge'),
      [`MONGO_${mongo}_OWNER_URL`]: this.mongoUrl('owner'),
      [`MONGO_${mongo}_CONNECTOR_URL`]: this.mongoUrl('cdc'),
      ...this.extraEnv,
    };
  }

  get file(): string {
    return join(this.folder, 'pipelines.yaml');
  }

  /** With the database's name in its path. */
  mongoUrl(role: 'owner' | 'app' | 'bridge' | 'cdc'): string {
    const url = new URL(this.databases.mongoUrl(role));
    url.pathname = `/${this.databases.name}`;
    return url.toString();
  }

  /** The topic of a table (`public.orders`) or of a collection. */
  topic(of: { readonly table: string } | { readonly collection: string }): string {
    return 'table' in of
      ? changeTopic(this.names.postgres, of.table)
      : changeTopic(this.names.mongo, `${this.databases.name}.${of.collection}`);
  }

  connector(kind: keyof DatabaseNames): string {
    return connectorName(this.names[kind]);
  }

  /** Writes the pipelines file: YAML, or the entries of the list. */
  async write(pipelines: string | readonly object[]): Promise<void> {
    const text = typeof pipelines === 'string' ? pipelines : JSON.stringify({ pipelines }, null, 1);
    await writeFile(this.file, text);
  }

  /** Runs the deploy step, and answers with what it told. @throws Error with its output */
  async prepare(...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', PREPARE, ...args],
      {
        env: this.env,
        timeout: 180_000,
        maxBuffer: 16 * 1024 * 1024,
      },
    ).catch((error: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`prepare ${args.join(' ')}: ${error.stdout ?? ''}${error.stderr ?? error.message}`);
    });
    return stdout + stderr;
  }

  /** Writes the file, applies it, and starts instances until there are `instances` of them. */
  async deploy(pipelines: string | readonly object[], instances = 1): Promise<void> {
    await this.write(pipelines);
    await this.prepare('apply');
    while (this.instances.length < instances) await this.start();
  }

  /** Starts one more instance. @param env added to its environment alone */
  async start(env: NodeJS.ProcessEnv = {}): Promise<BridgeInstance> {
    const instance = await BridgeInstance.start({ ...this.env, ...env });
    this.instances.push(instance);
    return instance;
  }

  /** `kill -9` of an instance, and another in its place. */
  async restart(index = 0): Promise<BridgeInstance> {
    await this.instances[index]?.kill();
    const instance = await BridgeInstance.start(this.env);
    this.instances[index] = instance;
    return instance;
  }

  /** Asks an instance. @throws Error with the answer where it is not 2xx */
  async ask<T = unknown>(method: 'GET' | 'POST', path: string, body?: object, index = 0): Promise<T> {
    const instance = this.instances[index];
    if (!instance) throw new Error(`there is no instance ${index}`);
    const response = await fetch(`${instance.url}${path}`, {
      method,
      signal: AbortSignal.timeout(600_000),
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  status(pipeline: string, index = 0): Promise<PipelineStatus> {
    return this.ask('GET', `/pipelines/${pipeline}`, undefined, index);
  }

  /** Waits until a pipeline runs and nothing waits in its topic. The source may still have more to tell. */
  async untilIdle(pipeline: string, timeoutMs = 60_000, index = 0): Promise<PipelineStatus> {
    return eventually(`${pipeline} to be idle`, timeoutMs, async () => {
      const status = await this.status(pipeline, index);
      return status.state === 'running' && status.lag.records === 0 && status;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.kill()));
    await Promise.all(
      (['postgres', 'mongo'] as const).map((kind) => this.#removeConnector(this.connector(kind))),
    );
    await removeTopics(this.stack.kafka.bootstrapServers, Object.values(this.names));
    await this.databases[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #removeConnector(name: string): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    if (!(await this.connect.config(name, signal))) return;
    await this.connect.stop(name, signal).catch(() => undefined);
    await eventually(`${name} to stop`, 30_000, async () => {
      const { tasks } = await this.connect.status(name, signal);
      return tasks.length === 0;
    }).catch(() => undefined);
    await this.connect.forgetOffsets(name, signal).catch(() => undefined);
    await this.connect.remove(name, signal);
  }
}
