import { eventually } from '@millrace/testing';
import type { Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SourceUnderTest } from '../testing/source.under-test.js';
import { requestSnapshot } from './snapshot-requests.js';

const HOSTILE = 'x"; DROP, a.b{c}';

let source: SourceUnderTest;
let owner: Db;
let app: Db;

beforeAll(async () => {
  source = await SourceUnderTest.create('mongo', inject('stack'));
  owner = await source.databases.documents('owner');
  app = await source.databases.documents('app');
  for (const name of ['stock', 'later']) await app.createCollection(name);
  await app.createCollection(HOSTILE, { changeStreamPreAndPostImages: { enabled: true } });
  await app.collection<{ _id: number }>('stock').insertMany([1, 2, 3].map((_id) => ({ _id, onHand: _id })));
  await app
    .collection<{ _id: number }>('later')
    .insertMany(Array.from({ length: 1_500 }, (_, _id) => ({ _id, label: `${_id}` })));
  await app.collection<{ _id: number }>(HOSTILE).insertOne({ _id: 1 });
});

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
});

async function imagesOf(name: string): Promise<unknown> {
  const [found] = await owner.listCollections({ name }).toArray();
  const { options } = found as unknown as { options: Record<string, unknown> };
  return options.changeStreamPreAndPostImages;
}

describe('a MongoDB source', () => {
  it('refuses a view by name', async () => {
    await owner.createCollection('seen', { viewOn: 'stock' });
    await expect(source.plan('stock', 'seen')).rejects.toMatchObject({
      code: 'SOURCE_REFUSED',
      faults: ['seen is a view: views have no changes'],
    });
  });

  it('tells every change before it is made, makes it, and then has nothing left to do', async () => {
    const told = await source.apply('stock');
    expect(told.steps.map(({ what }) => what)).toEqual([
      'collection +millrace_watermarks, by which a connector is followed',
      'collection millrace_signals, by which a connector is followed',
      'collection millrace_captured, by which a connector is followed',
      'role millrace_signals, for the connector, to write to millrace_signals',
      'stock captured',
      'stock keeps an image of each document before and after a change',
    ]);
    expect(await imagesOf('stock')).toEqual({ enabled: true });
    expect(await source.plan('stock')).toMatchObject({ steps: [], connector: [] });
  });

  it('brings documents that were there, and changes with both images, into the topic', async () => {
    const stock = app.collection<{ _id: number }>('stock');
    await source.untilChanges('stock', 3);
    await stock.updateOne({ _id: 1 }, { $set: { onHand: 5.5 } });
    await stock.deleteOne({ _id: 2 });
    const changes = await source.untilChanges('stock', 5);
    expect(changes.map(({ op }) => op).sort()).toEqual(['d', 'r', 'r', 'r', 'u']);
    expect(changes.find(({ op }) => op === 'u')).toMatchObject({
      before: '{"_id": 1,"onHand": 1}',
      after: '{"_id": 1,"onHand": 5.5}',
    });
  });

  it('takes a later collection with its documents while the others flow, and one of a hostile name', async () => {
    await source.apply('stock', 'later', HOSTILE, 'made');
    await app.collection<{ _id: number }>('stock').insertOne({ _id: 10 });
    await app.collection<{ _id: number }>(HOSTILE).insertOne({ _id: 2 });
    const later = await source.untilChanges('later', 1_500);
    expect(new Set(later.map(({ after }) => after)).size).toBe(1_500);
    expect(new Set(later.map(({ source: { snapshot } }) => snapshot))).toEqual(new Set(['incremental']));
    await eventually('the hostile collection', 30_000, async () => {
      const changes = await source.changes(HOSTILE);
      return ['r', 'c'].every((op) => changes.some((change) => change.op === op));
    });
    expect(await source.untilChanges('stock', 6)).toHaveLength(6);
    expect(await source.plan('stock', 'later', HOSTILE, 'made')).toMatchObject({ steps: [], connector: [] });
  });

  it('takes a collection whose keys are of several types, each document of it', async () => {
    await app
      .collection<{ _id: unknown }>('mixed')
      .insertMany([{ _id: 'text' }, { _id: 7 }, { _id: new Date(0) }]);
    await source.apply('stock', 'later', HOSTILE, 'made', 'mixed');
    // The connector goes on where it stood, so that it may bring their insertions as well.
    const read = await eventually('the documents', 40_000, async () => {
      const found = (await source.changes('mixed')).filter(({ op }) => op === 'r');
      return found.length >= 3 && found;
    });
    expect(new Set(read.map(({ after }) => after)).size).toBe(3);
  });

  it('releases a collection, and changes back what it changed, and not what was so before', async () => {
    await source.apply('stock');
    expect(await imagesOf('later')).toBeUndefined();
    expect(await imagesOf(HOSTILE)).toEqual({ enabled: true });
    await app.collection<{ _id: number }>('later').insertOne({ _id: 9_001 });
    await app.collection<{ _id: number }>('stock').insertOne({ _id: 11 });
    await source.untilChanges('stock', 7);
    expect((await source.changes('later')).some(({ after }) => String(after).includes('9001'))).toBe(false);
  });

  it('leaves nothing of it when all is removed, nor brings a bridge that still runs any of it back', async () => {
    await source.remove({ dropSlot: true });
    await expect(
      requestSnapshot(source.open, { kind: 'mongo', name: source.name, captured: [] }, 'stock'),
    ).rejects.toThrow(/millrace_signals is not there/);
    const names = (await owner.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    expect(names.filter((name) => name.includes('millrace'))).toEqual([]);
    expect((await owner.command({ rolesInfo: 1 })).roles).toEqual([]);
    expect(await imagesOf('stock')).toBeUndefined();
    expect(await source.connect.config(source.connector, AbortSignal.timeout(5_000))).toBeUndefined();
  });
});
