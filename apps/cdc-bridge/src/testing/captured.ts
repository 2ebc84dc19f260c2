import { randomUUID } from 'node:crypto';
import {
  allowAnySchema,
  applyTopics,
  ConnectApi,
  type ConsumedRecord,
  RecordConsumer,
  silentLog,
} from '@millrace/messaging';
import { eventually, type StackEndpoints } from '@millrace/testing';
import { OpenDatabases } from '../databases/open-databases.js';
import { changeTopic } from '../names/bridge-names.js';
import { subjectsOf } from '../sources/change-topics.js';
import { applySource, removeSource, type SourceDeps } from '../sources/prepare-source.js';
import type { PreparedSource } from '../sources/source.js';
import type { Databases } from './databases.js';
import { removeTopics } from './remove-topics.js';

const WITHIN_MS = 60_000;

/**
 * A test's databases as the bridge opens them (`<name>-pg` and `<name>-mg`), one of them captured by a connector of
 * Debezium whose records are kept as they come. Disposing removes the connector.
 */
export class Captured implements AsyncDisposable {
  readonly databases: OpenDatabases;
  readonly records: ConsumedRecord[] = [];
  #consumer: RecordConsumer | undefined;

  private constructor(
    readonly source: PreparedSource,
    readonly deps: SourceDeps,
    private readonly brokers: readonly string[],
    settings: OpenDatabases['settings'],
  ) {
    this.databases = new OpenDatabases(settings);
  }

  /** @param names tables as `schema.table`, or collections, that are there already */
  static async start(
    stack: StackEndpoints,
    databases: Databases,
    kind: 'postgres' | 'mongo',
    names: readonly string[],
  ): Promise<Captured> {
    const mongo = (role: 'owner' | 'bridge' | 'cdc') =>
      databases.mongoUrl(role).replace('/?', `/${databases.name}?`);
    const settings = [
      {
        kind: 'postgres' as const,
        name: postgresName(databases),
        url: databases.postgresUrl('bridge'),
        ownerUrl: databases.postgresUrl('owner'),
        connectorUrl: databases.postgresUrl('cdc'),
      },
      {
        kind: 'mongo' as const,
        name: mongoName(databases),
        url: mongo('bridge'),
        ownerUrl: mongo('owner'),
        connectorUrl: mongo('cdc'),
      },
    ];
    const own = settings.find((each) => each.kind === kind) as (typeof settings)[number];
    const captured = names.map((name) => ({ name, snapshot: true, appendOnly: false, delayMs: 0 }));
    const deps: SourceDeps = {
      connect: new ConnectApi(stack.connect.url),
      registryUrl: stack.registry.url.replace(/ccompat\/v7$/, 'registry/v3'),
      applyTopics: async (topics) => {
        await applyTopics(stack.kafka.bootstrapServers, topics);
        await allowAnySchema(stack.registry.url, subjectsOf(topics));
      },
      signal: AbortSignal.timeout(10 * 60_000),
    };
    const brokers = stack.kafka.bootstrapServers;
    const made = new Captured({ kind, name: own.name, captured, settings: own }, deps, brokers, settings);
    await applySource(made.source, deps, () => {});
    made.#consume(stack, databases.name);
    return made;
  }

  /** The topic's records, once there are as many. */
  async of(topic: string, count: number): Promise<ConsumedRecord[]> {
    const found = () => this.records.filter((record) => record.topic === topic);
    await eventually(`${count} records in ${topic}`, WITHIN_MS, () => found().length >= count);
    return found();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer?.close();
    await this.databases.close();
    await removeSource(this.source, this.deps, () => {}, { dropSlot: true });
    await removeTopics(this.brokers, [this.source.name]);
  }

  #consume(stack: StackEndpoints, database: string): void {
    const topics = this.source.captured.map(({ name }) =>
      changeTopic(this.source.name, this.source.kind === 'mongo' ? `${database}.${name}` : name),
    );
    this.#consumer = new RecordConsumer({
      brokers: stack.kafka.bootstrapServers,
      clientId: 'captured',
      log: silentLog,
      group: `captured-${randomUUID()}`,
      topics,
      limits: { records: 1_000, bytes: 8 * 1_024 * 1_024 },
      begin: async () => 'earliest',
      handle: async ({ records }) => {
        this.records.push(...records);
      },
    });
    this.#consumer.start();
  }
}

export const postgresName = ({ name }: Databases) => `${name.replaceAll('_', '-')}-pg`;
export const mongoName = ({ name }: Databases) => `${name.replaceAll('_', '-')}-mg`;
