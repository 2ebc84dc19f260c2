import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  allowAnySchema,
  applyTopics,
  ConnectApi,
  DeadLetters,
  type Log,
  SchemaRegistry,
  silentLog,
  TopicOffsets,
} from '@millrace/messaging';
import { deadLetterTopicOf } from '@millrace/schemas';
import type { StackEndpoints } from '@millrace/testing';
import type { DatabaseSettings } from '../../databases/database-settings.js';
import { OpenDatabases } from '../../databases/open-databases.js';
import {
  changeTopic,
  groupOf,
  OWN_SCHEMA,
  WATERMARKS_COLLECTION,
  WATERMARKS_TABLE,
} from '../../names/bridge-names.js';
import { type TwoWayPipeline, twoWay } from '../../pipelines/pipeline.schema.js';
import { applySource, removeSource, type SourceDeps } from '../../sources/prepare-source.js';
import { type PreparedSource, sourcesOfPipelines } from '../../sources/source.js';
import { Databases } from '../../testing/databases.js';
import { removeTopics } from '../../testing/remove-topics.js';
import { PairPreparation } from '../pair.preparation.js';
import type { PairSettings } from '../pair.run.js';
import { PairService } from '../pair.service.js';

const PARTITIONS = 3;

export interface PairUnderTestOptions {
  readonly table: string;
  readonly collection: string;
  readonly conflict: TwoWayPipeline['conflict'];
  readonly drop?: readonly string[];
}

/**
 * A pair between databases of a test's own, with real connectors, topics and roles. Disposing removes all of it but
 * the topics, which go with the test's stack.
 */
export class PairUnderTest implements AsyncDisposable {
  readonly #services: PairService[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly stack: StackEndpoints,
    readonly databases: Databases,
    readonly pipeline: TwoWayPipeline,
    readonly settings: readonly Required<DatabaseSettings>[],
  ) {}

  /** The databases, before anything is made in them. */
  static async open(stack: StackEndpoints, options: PairUnderTestOptions): Promise<PairUnderTest> {
    const databases = await Databases.create(stack.databases);
    const id = randomBytes(3).toString('hex');
    const [row, document] = [`rows-${id}`, `docs-${id}`];
    const mongoUrl = (role: 'owner' | 'bridge' | 'cdc') => {
      const url = new URL(databases.mongoUrl(role));
      url.pathname = `/${databases.name}`;
      return url.toString();
    };
    const pipeline = twoWay.parse({
      name: `pair-${id}`,
      between: [
        { postgres: row, table: options.table },
        { mongo: document, collection: options.collection },
      ],
      conflict: options.conflict,
      drop: [...(options.drop ?? [])],
    });
    return new PairUnderTest(stack, databases, pipeline, [
      {
        kind: 'postgres',
        name: row,
        url: databases.postgresUrl('bridge'),
        ownerUrl: databases.postgresUrl('owner'),
        connectorUrl: databases.postgresUrl('cdc'),
      },
      {
        kind: 'mongo',
        name: document,
        url: mongoUrl('bridge'),
        ownerUrl: mongoUrl('owner'),
        connectorUrl: mongoUrl('cdc'),
      },
    ]);
  }

  /** Prepares the pair, its sources and its topics. */
  async prepare(): Promise<void> {
    await this.preparation(async (preparation) => void (await preparation.apply()));
    for (const source of this.#sources()) await applySource(source, this.#deps(), () => {});
    await applyTopics(this.#brokers, [deadLetterTopicOf(groupOf(this.pipeline.name))]);
  }

  async preparation<T>(use: (preparation: PairPreparation) => Promise<T>): Promise<T> {
    await using open = new OpenDatabases(this.settings);
    const owner = await this.databases.postgres('owner');
    const role = new URL(this.databases.postgresUrl('bridge')).username;
    const mongo = open.mongo(this.pipeline.between[1].mongo);
    return await use(new PairPreparation(this.pipeline, owner, role, mongo));
  }

  /** One instance of the bridge's, for this pair. */
  start(settings: Partial<PairSettings> = {}, log: Log = silentLog): PairService {
    const open = new OpenDatabases(this.settings);
    const connection = { brokers: this.#brokers, clientId: 'pair-under-test', log: silentLog };
    const deadLetters = new DeadLetters(connection);
    const offsets = new TopicOffsets(connection);
    const service = new PairService(this.pipeline, open, {
      kafka: { brokers: this.#brokers, clientId: 'pair-under-test' },
      registry: new SchemaRegistry({ url: this.stack.registry.url }),
      deadLetters,
      offsets,
      log,
      caughtUp: (database, signal) => this.#caughtUp(open, offsets, database, signal),
      settings,
    });
    service.start();
    this.#services.push(service);
    this.#closing.push(
      () => deadLetters.close(),
      () => offsets.close(),
      () => open.close(),
    );
    return service;
  }

  /** Writes watermarks until one has come through: then the connector streams. */
  async #caughtUp(
    open: OpenDatabases,
    offsets: TopicOffsets,
    database: string,
    signal: AbortSignal,
  ): Promise<void> {
    const isPostgres = database === this.pipeline.between[0].postgres;
    const path = isPostgres
      ? `${OWN_SCHEMA}.${WATERMARKS_TABLE}`
      : `${this.databases.name}.${WATERMARKS_COLLECTION}`;
    const high = async () =>
      (await offsets.ranges(changeTopic(database, path))).map((range) => range.high).join();
    const before = await high();
    do {
      const id = randomUUID();
      if (isPostgres) await open.postgres(database).pool.query(`insert into ${path} (id) values ($1)`, [id]);
      else
        await open
          .mongo(database)
          .db.collection(WATERMARKS_COLLECTION)
          .insertOne({ _id: id as never });
      await delay(200, undefined, { signal });
    } while ((await high()) === before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#services.map((service) => service.close()));
    await Promise.allSettled(this.#closing.map((close) => close()));
    for (const source of this.#sources()) {
      await removeSource(source, this.#deps(), () => {}, { dropSlot: true }).catch(() => undefined);
    }
    await removeTopics(
      this.#brokers,
      this.#sources().map(({ name }) => name),
    );
    await this.databases[Symbol.asyncDispose]();
  }

  get #brokers(): readonly string[] {
    return this.stack.kafka.bootstrapServers;
  }

  #sources(): PreparedSource[] {
    return sourcesOfPipelines([this.pipeline]).map((source) => {
      const settings = this.settings.find(({ name }) => name === source.name) as Required<DatabaseSettings>;
      return { ...source, settings };
    });
  }

  #deps(): SourceDeps {
    return {
      connect: new ConnectApi(this.stack.connect.url),
      registryUrl: new URL('/apis/registry/v3', this.stack.registry.url).toString(),
      applyTopics: async (topics) => {
        const fewer = topics.map((topic) => ({
          ...topic,
          partitions: Math.min(topic.partitions, PARTITIONS),
        }));
        await applyTopics(this.#brokers, fewer);
        await allowAnySchema(
          this.stack.registry.url,
          topics.flatMap(({ name }) => [`${name}-key`, `${name}-value`]),
        );
      },
      signal: AbortSignal.timeout(120_000),
    };
  }
}
