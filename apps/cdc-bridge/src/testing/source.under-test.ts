import { allowAnySchema, applyTopics, ConnectApi } from '@millrace/messaging';
import { eventually, LogDecoder, LogReader, type StackEndpoints } from '@millrace/testing';
import { OpenDatabases } from '../databases/open-databases.js';
import type { Step } from '../databases/step.js';
import { changeTopic, connectorName } from '../names/bridge-names.js';
import { subjectsOf } from '../sources/change-topics.js';
import {
  applySource,
  planSource,
  removeSource,
  type SourceDeps,
  type SourcePlan,
} from '../sources/prepare-source.js';
import type { Captured, PreparedSource } from '../sources/source.js';
import { Databases } from './databases.js';
import { removeTopics } from './remove-topics.js';

/** A change as its record says it. */
export interface SeenChange {
  readonly op: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly source: { readonly snapshot: string };
}

/**
 * A source in databases of a test's own, with a real connector. Disposing removes connector, slot and databases; the
 * topics go with the test's stack.
 */
export class SourceUnderTest implements AsyncDisposable {
  readonly connect: ConnectApi;
  readonly open: OpenDatabases;
  readonly connector: string;
  /** Called by `apply` when all is made but the connector. */
  beforeConnector: () => Promise<unknown> = async () => {};
  readonly #decoder: LogDecoder;

  private constructor(
    readonly kind: 'postgres' | 'mongo',
    readonly stack: StackEndpoints,
    readonly databases: Databases,
  ) {
    this.connect = new ConnectApi(stack.connect.url);
    this.open = new OpenDatabases([this.settings]);
    this.connector = connectorName(this.name);
    this.#decoder = new LogDecoder(stack.registry.url);
  }

  static async create(kind: 'postgres' | 'mongo', stack: StackEndpoints): Promise<SourceUnderTest> {
    return new SourceUnderTest(kind, stack, await Databases.create(stack.databases));
  }

  /** As pipelines name the database. */
  get name(): string {
    return this.databases.name.replaceAll('_', '-');
  }

  get settings() {
    const [ownerUrl, url, connectorUrl] = (['owner', 'bridge', 'cdc'] as const).map((role) =>
      this.kind === 'postgres' ? this.databases.postgresUrl(role) : this.#mongoUrl(role),
    ) as [string, string, string];
    return { kind: this.kind, name: this.name, url, ownerUrl, connectorUrl };
  }

  source(captured: readonly (string | Partial<Captured>)[]): PreparedSource {
    const defaults = { name: '', snapshot: true, appendOnly: false, delayMs: 0 };
    return {
      kind: this.kind,
      name: this.name,
      settings: this.settings,
      captured: captured.map((each) => ({
        ...defaults,
        ...(typeof each === 'string' ? { name: each } : each),
      })),
    };
  }

  plan(...captured: (string | Partial<Captured>)[]): Promise<SourcePlan> {
    return planSource(this.source(captured), this.#deps());
  }

  /** What was told before it was done. */
  async apply(...captured: (string | Partial<Captured>)[]): Promise<SourcePlan> {
    const told: SourcePlan[] = [];
    await applySource(this.source(captured), this.#deps(), (plan) => void told.push(plan));
    return told[0] as SourcePlan;
  }

  async remove(options: { dropSlot: boolean }): Promise<readonly Step[]> {
    const told: (readonly Step[])[] = [];
    await removeSource(this.source([]), this.#deps(), (steps) => void told.push(steps), options);
    return told[0] ?? [];
  }

  topic(name: string): string {
    return changeTopic(this.name, this.kind === 'mongo' ? `${this.databases.name}.${name}` : name);
  }

  /** The changes that a topic holds now, tombstones left out. */
  async changes(name: string): Promise<SeenChange[]> {
    const reader = await LogReader.fromBeginning(this.stack.kafka.bootstrapServers, [this.topic(name)]);
    try {
      const values = (await reader.read()).flatMap(({ value }) => (value ? [value] : []));
      return await Promise.all(
        values.map(async (value) => (await this.#decoder.decode(value)).event as SeenChange),
      );
    } finally {
      await reader.close();
    }
  }

  /** Waits until a topic holds as many changes as `expected`, and answers with them. */
  async untilChanges(name: string, expected: number): Promise<SeenChange[]> {
    return eventually(`${expected} changes of ${name}`, 40_000, async () => {
      const changes = await this.changes(name);
      return changes.length >= expected && changes;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.open.close();
    const signal = AbortSignal.timeout(30_000);
    await this.connect.stop(this.connector, signal).catch(() => undefined);
    await this.connect.forgetOffsets(this.connector, signal).catch(() => undefined);
    await this.connect.remove(this.connector, signal);
    await removeTopics(this.stack.kafka.bootstrapServers, [this.name]);
    await this.databases[Symbol.asyncDispose]();
  }

  #mongoUrl(role: 'owner' | 'bridge' | 'cdc'): string {
    const url = new URL(this.databases.mongoUrl(role));
    url.pathname = `/${this.databases.name}`;
    return url.toString();
  }

  #deps(): SourceDeps {
    return {
      connect: this.connect,
      registryUrl: new URL('/apis/registry/v3', this.stack.registry.url).toString(),
      applyTopics: async (topics) => {
        await applyTopics(this.stack.kafka.bootstrapServers, topics);
        await allowAnySchema(this.stack.registry.url, subjectsOf(topics));
        await this.beforeConnector();
      },
      signal: AbortSignal.timeout(120_000),
    };
  }
}
