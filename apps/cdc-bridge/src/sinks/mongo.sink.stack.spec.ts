import { type Document, Int32, type MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { CheckpointMoved, type Move } from '../checkpoints/checkpoint.js';
import { MongoCheckpoints } from '../checkpoints/mongo.checkpoints.js';
import { Databases } from '../testing/databases.js';
import type { BsonValue } from '../values/bson-value.js';
import { type Change, compact, type Fields, type Put } from './compaction.js';
import { MongoSink } from './mongo.sink.js';
import { RowsMissing } from './sink.error.js';

const position = { pipeline: 'orders', topic: 'changes.orders', partition: 0 };

let databases: Databases;
let client: MongoClient;
let checkpoints: MongoCheckpoints;
let sink: MongoSink;
let next: bigint;

beforeAll(async () => {
  databases = await Databases.create(inject('stack').databases);
  client = await databases.mongo('bridge');
  checkpoints = new MongoCheckpoints(client.db(`${databases.name}_bridge`));
  sink = await MongoSink.open(client, checkpoints, client.db(databases.name), 'orders');
});

beforeEach(async () => {
  await client.db(databases.name).collection('orders').deleteMany({});
  await client.db(`${databases.name}_bridge`).collection('checkpoints').deleteMany({});
  next = 10n;
  await checkpoints.start(position, next);
});

afterAll(() => databases?.[Symbol.asyncDispose]());

function doc(id: BsonValue, fields: Fields): Put {
  const key = { text: JSON.stringify(id), fields: { _id: id } };
  return { kind: 'put', key, fields: { _id: id, ...fields }, omitted: [], isNew: false };
}
const gone = (id: BsonValue): Change => ({ kind: 'delete', key: doc(id, {}).key });

async function apply(changes: Change[], move: Partial<Move> = {}): Promise<void> {
  const { lacking, ...effects } = compact(changes);
  expect(lacking).toEqual([]);
  await sink.apply(effects, { ...position, expected: next, next: next + BigInt(changes.length), ...move });
  next += BigInt(changes.length);
}

const documents = async () =>
  (await client.db(databases.name).collection('orders').find().sort({ _id: 1 }).toArray()) as unknown[];

describe('MongoSink', () => {
  it('writes documents and the checkpoint together, and replaces them whole', async () => {
    await apply([doc('a', { n: new Int32(1), old: true }), doc('b', { n: new Int32(2) }), doc('c', {})]);
    await apply([doc('a', { n: new Int32(9) }), gone('c'), gone('never there')]);
    expect(await documents()).toEqual([
      { _id: 'a', n: 9 },
      { _id: 'b', n: 2 },
    ]);
    expect((await checkpoints.get(position))?.next).toBe(16n);
  });

  it('is opened by several instances at once where there is no collection yet', async () => {
    const db = client.db(databases.name);
    await Promise.all(Array.from({ length: 8 }, () => MongoSink.open(client, checkpoints, db, 'new')));
    expect(await db.listCollections({ name: 'new' }).toArray()).toHaveLength(1);
  });

  it('keeps what a change left out', async () => {
    await apply([doc('a', { n: new Int32(1), big: 'the whole text' })]);
    await apply([{ ...doc('a', { n: new Int32(2) }), omitted: ['big'] }]);
    expect(await documents()).toEqual([{ _id: 'a', n: 2, big: 'the whole text' }]);
  });

  it('writes nothing where a patch finds no document, and names it', async () => {
    await apply([doc({ id: new Int32(1) }, { big: 'x' })]);
    const [there, missing] = [1, 2].map(
      (id): Put => ({ ...doc({ id: new Int32(id) }, { n: 'y' }), omitted: ['big'] }),
    );
    await expect(apply([doc('a', {}), there as Put, missing as Put])).rejects.toMatchObject({
      code: 'ROWS_MISSING',
      keys: [missing?.key.text],
    });
    await expect(apply([missing as Put])).rejects.toThrow(RowsMissing);
    expect(await documents()).toEqual([{ _id: { id: 1 }, big: 'x' }]);
    expect((await checkpoints.get(position))?.next).toBe(11n);
  });

  it('marks a document where it is there, and does nothing where not', async () => {
    const mark = (id: BsonValue): Put => ({ ...doc(id, { gone: true }), omitted: ['n'], ifThere: true });
    await apply([doc('a', { n: 'x' })]);
    await apply([mark('a'), mark('never there')]);
    expect(await documents()).toEqual([{ _id: 'a', n: 'x', gone: true }]);
  });

  it('takes one of equal documents away, whichever it is, for each row that went', async () => {
    const equal = (row: string, at: string) => doc({ row, at }, {});
    const removal = (row: string): Change => ({ kind: 'removal', row });
    await apply([equal('x', '0:1'), equal('x', '0:2'), equal('xy', '0:3'), doc('x', {})]);
    await apply([removal('x'), removal('never there')]);
    expect(await documents()).toHaveLength(3);
    // One that came and one that was there, in one batch; what is not there cannot go.
    await apply([equal('x', '0:4'), removal('x'), removal('x'), removal('x')]);
    expect(await documents()).toEqual([{ _id: 'x' }, { _id: { row: 'xy', at: '0:3' } }]);
  });

  it('writes nothing for a reader that lost its partition', async () => {
    await apply([doc('a', { n: 'one' })]);
    await expect(apply([doc('a', { n: 'late' })], { expected: 10n })).rejects.toThrow(CheckpointMoved);
    expect(await documents()).toEqual([{ _id: 'a', n: 'one' }]);
  });

  it('lets one of two readers win, whatever the moment', async () => {
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((id) => apply([doc(id, {})], { expected: 10n })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      expect(['CHECKPOINT_MOVED', 'SINK_CONFLICT']).toContain((result.reason as { code: string }).code);
    }
    expect(await documents()).toHaveLength(1);
  });

  it('takes fields with dots, dollars and __proto__ by their names', async () => {
    const odd = JSON.parse('{"a.b": "1", "$set": "2", "__proto__": "3", "": "4", "$$ROOT": "$n"}') as Fields;
    await apply([
      doc('a', {}),
      { ...doc('b', {}), fields: { _id: 'b', n: 'kept', 'a.b': 'old', $set: 'old' } },
    ]);
    const oddly = (id: string): Fields =>
      Object.defineProperties({ _id: id }, Object.getOwnPropertyDescriptors(odd));
    await apply([
      { ...doc('a', {}), fields: oddly('a') },
      { ...doc('b', {}), fields: oddly('b'), omitted: ['n'] },
    ]);
    const [a, b] = (await documents()) as object[];
    expect(new Map(Object.entries(a ?? {}))).toEqual(new Map([['_id', 'a'], ...Object.entries(odd)]));
    expect(new Map(Object.entries(b ?? {}))).toEqual(
      new Map([['_id', 'b'], ['n', 'kept'], ...Object.entries(odd)]),
    );
  });

  it('frees a unique value before it is taken by another document of the batch', async () => {
    const orders = client.db(databases.name).collection('orders');
    await orders.createIndex({ label: 1 }, { unique: true, sparse: true });
    try {
      await apply([doc('a', { label: 'same' })]);
      await apply([gone('a'), doc('b', { label: 'same' })]);
      expect(await documents()).toEqual([{ _id: 'b', label: 'same' }]);
    } finally {
      await orders.dropIndexes();
    }
  });

  it('writes a batch by one command of each kind, unordered, and gives every one a bound', async () => {
    const watched = await databases.mongo('bridge', { monitorCommands: true });
    const commands: Document[] = [];
    watched.on('commandStarted', ({ command }) => {
      commands.push(command);
    });
    const own = new MongoCheckpoints(watched.db(`${databases.name}_bridge`));
    const watchedSink = await MongoSink.open(watched, own, watched.db(databases.name), 'orders');
    await apply([doc('old', { big: 'x' })]);
    commands.length = 0;
    const changes = Array.from({ length: 400 }, (_, i) => (i < 200 ? gone(`${i}`) : doc(`${i}`, {})));
    const { lacking, ...effects } = compact([...changes, { ...doc('old', { n: 'y' }), omitted: ['big'] }]);
    await watchedSink.apply(effects, { ...position, expected: next, next: next + 401n });
    const ofOrders = commands.filter(({ update, delete: from }) => [update, from].includes('orders'));
    expect(ofOrders.map((command) => [Object.keys(command)[0], command.ordered, command.maxTimeMS])).toEqual([
      ['delete', false, 10_000],
      ['update', false, 10_000],
      ['update', false, 10_000],
    ]);
    expect(commands.find(({ commitTransaction }) => commitTransaction)).toMatchObject({ maxTimeMS: 10_000 });
    expect(await documents()).toHaveLength(201);
  });

  it('lets go of what a repair holds where the source does not answer', async () => {
    await expect(sink.repair(position.pipeline, () => new Promise(() => {}))).rejects.toMatchObject({
      code: 'SINK_UNAVAILABLE',
    });
    await apply([doc('a', {})]);
    expect(await documents()).toHaveLength(1);
  }, 30_000);

  it('reads no key as a query', async () => {
    await apply([doc('a', {}), doc('b', {})]);
    await apply([gone({ $gt: '' } as BsonValue)]).catch(() => {});
    expect(await documents()).toHaveLength(2);
  });

  it('refuses a document over 16 MB by name, and lets the rest pass without it', async () => {
    const huge = doc('huge', { text: 'x'.repeat(16 * 1024 * 1024) });
    await expect(apply([doc('a', {}), huge])).rejects.toMatchObject({
      code: 'SINK_REFUSED',
      message: /"huge".*16 MB/,
    });
    await apply([doc('a', {})]);
    expect(await documents()).toHaveLength(1);
  });

  it('tells a write conflict from a refusal', async () => {
    await apply([doc('a', { n: 'one' })]);
    const other = client.startSession();
    other.startTransaction();
    await client
      .db(databases.name)
      .collection('orders')
      .updateOne({ _id: 'a' as never }, { $set: { n: 'x' } }, { session: other });
    await expect(apply([doc('a', { n: 'two' })])).rejects.toMatchObject({
      code: 'SINK_CONFLICT',
      canRetry: true,
    });
    await other.abortTransaction();
    await other.endSession();
    await apply([doc('a', { n: 'two' })]);
    expect(await documents()).toEqual([{ _id: 'a', n: 'two' }]);
  });
});
