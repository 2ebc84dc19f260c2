import { SchemaRegistry as ConfluentClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import { AvroCodec, contractsByName, SchemaRegistry } from '@millrace/messaging';
import {
  avroTypeHook,
  type EventContract,
  logicalTypes,
  OrderConfirmed,
  OrderPlaced,
} from '@millrace/schemas';
import { compare, type Side } from '../harness/compare.ts';
import { missed, type Row, table } from '../harness/table.ts';
import { confirmed, newerOrderConfirmed, newerOrderPlaced, placed } from './events.ts';
import { type BenchRegistry, benchRegistry } from './registry.ts';

const OPTIONS = { rounds: 50, batches: 8, batchMs: 2 };

/** Compares the codec with avsc and with the registry client. @returns whether every ratio is as wanted */
export async function codecBench(): Promise<boolean> {
  await using registry = await benchRegistry([newerOrderConfirmed, newerOrderPlaced]);
  const cases = [
    await casesFor(registry, OrderConfirmed, newerOrderConfirmed, { ...confirmed, channel: 'web' }),
    await casesFor(registry, OrderPlaced, newerOrderPlaced, { ...placed, channel: 'web' }),
  ];
  const rows: Row[] = [];
  // The registry client comes last: the types that it makes for each record change what the compiler does for all.
  for (const measure of ['encode', 'decode', 'decodeByClient'] as const) {
    for (const each of cases) rows.push(await each[measure]());
  }
  console.log(`Schema registry: ${registry.origin} (${registry.url})`);
  console.log(
    `${OPTIONS.rounds} rounds; in each, the best of ${OPTIONS.batches} batches of either side, interleaved\n`,
  );
  console.log(table(rows));
  return missed(rows).length === 0;
}

/** An event that a newer writer wrote, read as the reader's version; and written, as the writer's. */
async function casesFor<R, W extends R>(
  registry: BenchRegistry,
  reader: EventContract<R>,
  writer: EventContract<W>,
  event: NoInfer<W>,
): Promise<Cases> {
  const name = reader.schema.name;
  const codec = new AvroCodec(new SchemaRegistry({ url: registry.url }), registry.ids);
  const readers = contractsByName([reader]);
  const resolver = reader.type.createResolver(writer.type);
  // What the client needs to give the same values: decimals and dates, and longs beyond 2^53.
  const options = { [SchemaType.AVRO]: { logicalTypes, typeHook: avroTypeHook } } as ClientOptions;
  const client = new ConfluentClient({ host: registry.url }, options);
  const readerSchema = reader.schema as unknown as ReaderSchema;
  const message = codec.encode(writer, event);
  const body = message.subarray(5);
  await codec.decode(message, readers);
  await client.decode(message, { [SchemaType.AVRO]: { readerSchema } });

  const decode = side('codec.decode', () => codec.decode(message, readers));
  // The client cannot do without a promise for each record; the codec needs one only where it has to look up.
  const clientDecode = awaited('registry client, decode with a reader schema', () =>
    client.decode(message, { [SchemaType.AVRO]: { readerSchema } }),
  );
  const fromBuffer = side('avsc fromBuffer, same resolver', () => reader.type.fromBuffer(body, resolver));
  const encode = side('codec.encode', () => codec.encode(writer, event));
  const toBuffer = side('avsc toBuffer', () => writer.type.toBuffer(event));

  const row = async (subject: Side, baseline: Side, atLeast: number): Promise<Row> => ({
    what: `${subject.name} ${name}`,
    baseline: baseline.name,
    atLeast,
    comparison: await compare(subject, baseline, OPTIONS),
  });
  return {
    encode: () => row(encode, toBuffer, 0.8),
    decode: () => row(decode, fromBuffer, 0.8),
    decodeByClient: () => row(decode, clientDecode, 100),
  };
}

type Cases = Readonly<Record<'encode' | 'decode' | 'decodeByClient', () => Promise<Row>>>;
type ClientOptions = ConstructorParameters<typeof ConfluentClient>[1];
type DecodeOptions = NonNullable<Parameters<ConfluentClient['decode']>[1]>;
type ReaderSchema = NonNullable<DecodeOptions[SchemaType.AVRO]>['readerSchema'] & object;

/** What the sides return goes here, so that no compiler can leave their work out. */
export let sink: unknown;

function side(name: string, work: () => unknown): Side {
  return {
    name,
    run(times) {
      for (let done = 0; done < times; done++) sink = work();
    },
  };
}

function awaited(name: string, work: () => Promise<unknown>): Side {
  return {
    name,
    async run(times) {
      for (let done = 0; done < times; done++) sink = await work();
    },
  };
}
