import { expect, it } from 'vitest';
import type { Key, Put } from '../sinks/compaction.js';
import { readWithin } from './read-within.js';

const keys = Array.from({ length: 250 }, (_, i): Key => ({ text: `${i}`, fields: { _id: `${i}` } }));

it('asks for many keys at a time, also where none is there any more', async () => {
  let reads = 0;
  const read = async () => {
    reads++;
    return [];
  };
  expect(await readWithin({ read }, keys)).toEqual([]);
  expect(reads).toBeLessThan(6);
});

it('lets a row pass that has no size, for the sink to refuse', async () => {
  const fields = { a: { _bsontype: 'ObjectID' } };
  const read = async (asked: readonly Key[]) =>
    asked.map((key): Put => ({ kind: 'put', key, fields, omitted: [], isNew: true }));
  expect(await readWithin({ read }, keys)).toHaveLength(250);
});
