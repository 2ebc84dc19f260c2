import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { pipelinesJsonSchema } from './pipeline.schema.js';
import { PipelinesFileError, readPipelinesFile } from './pipelines.file.js';

const names = { postgres: ['orders'], mongo: ['inventory', 'archive'] };
const read = (text: string) => readPipelinesFile('pipelines.yaml', text, names);

function faultsOf(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof PipelinesFileError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const whole = `
pipelines:
  - name: orders
    from: { postgres: orders, table: public.orders }
    to: { mongo: inventory, collection: orders }
    rename: { customer_id: customerId }
    drop: [note]
    where: { status: [placed, confirmed] }
    deletes: mark
    delay: 1h
  - name: stock
    from: { mongo: inventory, collection: stock }
    to: { postgres: orders, table: public.stock }
    columns: { sku: _id, on_hand: { path: onHand, type: int4 } }
    rest: document
    create: true
  - name: customers
    between:
      - { postgres: orders, table: public.customers }
      - { mongo: inventory, collection: customers }
    conflict: { newest: updated_at, priority: postgres }
`;

describe('a pipelines file', () => {
  it('holds the three kinds, with their defaults', () => {
    const [orders, stock, customers] = read(whole).pipelines;
    expect(orders).toMatchObject({
      deletes: 'mark',
      snapshot: 'initial',
      delay: 3_600_000,
      drop: ['note'],
      appendOnly: false,
    });
    expect(stock).toMatchObject({ deletes: 'apply', create: true, rest: 'document' });
    expect(customers).toMatchObject({ key: 'native', rename: {}, conflict: { newest: 'updated_at' } });
  });

  it('tells every fault at once, each with its line', () => {
    expect(
      faultsOf(`pipelines:
  - name: Orders
    from: { postgres: orders, table: orders }
    to: { mongo: stores, collection: orders }
    colour: red
  - name: stock
    from: { mongo: inventory, collection: stock }
    to: { postgres: shop, table: public.stock }
    columns: {}
  - name: stock
    from: { postgres: orders, table: public.a }
    to: { mongo: inventory, collection: a }
    delay: soon
    deletes: maybe
  - from: nowhere
speed: high
`),
    ).toEqual([
      'pipelines.yaml:2: name: lower-case letters, digits and hyphens, at most 63',
      'pipelines.yaml:3: from.table: a table as schema.table, or every table of a schema as schema.*',
      'pipelines.yaml:4: the environment names no mongo database stores; it names inventory, archive',
      'pipelines.yaml:5: unknown: colour',
      'pipelines.yaml:8: the environment names no postgres database shop; it names orders',
      'pipelines.yaml:9: columns: at least one column',
      'pipelines.yaml:10: the name stock is taken by another pipeline',
      'pipelines.yaml:13: delay: a duration such as 30s, 15m, 1h or 2d',
      expect.stringContaining('pipelines.yaml:14: deletes: '),
      'pipelines.yaml:15: a pipeline goes from postgres to mongo, from mongo to postgres, or is between both',
      'pipelines.yaml:16: unknown: speed',
    ]);
  });

  it('tells how entries meet beside the faults that each has', () => {
    expect(
      faultsOf(`pipelines:
  - from: { postgres: orders, table: public.a }
    to: { mongo: inventory, collection: a }
    rename: { b: x, c: x, d: '' }
    deletes: maybe
  - name: back
    from: { mongo: inventory, collection: a }
    to: { postgres: orders, table: public.a }
    columns: { id: _id, rest: .. }
    rest: rest
  - name: pair
    between:
      - { postgres: orders, table: customers }
      - { mongo: shop, collection: a }
    conflict: {}
`),
    ).toEqual([
      expect.stringContaining('pipelines.yaml:2: name: '),
      expect.stringContaining('pipelines.yaml:4: rename.d: '),
      'pipelines.yaml:4: b and c would both be x',
      expect.stringContaining('pipelines.yaml:5: deletes: '),
      'pipelines.yaml:6: a cycle: back → number 1 → back; to keep both sides equal, use between',
      'pipelines.yaml:9: columns.rest: a path in the document: names of fields with single dots between them',
      'pipelines.yaml:10: rest is one of the columns already',
      'pipelines.yaml:13: between.0.table: a table as schema.table',
      'pipelines.yaml:14: the environment names no mongo database shop; it names inventory, archive',
      expect.stringContaining('pipelines.yaml:15: conflict.priority: '),
    ]);
  });

  it('names the line of what YAML itself refuses', () => {
    expect(faultsOf('pipelines:\n  - name: a\n    name: b\n')).toEqual([
      expect.stringContaining('pipelines.yaml:2: a pipeline goes from '),
      expect.stringMatching(/^pipelines\.yaml:3: .*unique/),
    ]);
    expect(
      faultsOf(`pipelines:\n${oneWay('x', 'a', '*_copy').replace('copy }', 'copy, colour: red }')}`),
    ).toEqual([
      'pipelines.yaml:2: *_copy is no alias of anything: a text that begins with * needs quotes',
      'pipelines.yaml:2: unknown: to.colour',
      'pipelines.yaml:2: schema.* needs a collection with *, and one table a collection without',
    ]);
    expect(faultsOf('pipelines: [\n')).toEqual([expect.stringMatching(/^pipelines\.yaml:\d: /)]);
    expect(faultsOf('')).toEqual(['pipelines.yaml:1: the file must hold a list named pipelines']);
  });

  it('names what YAML would read otherwise than it is written', () => {
    const where = (filter: string) =>
      `pipelines:\n${oneWay('x', 'a', 'a').replace(' }\n', `, where: { ${filter} } }\n`)}`;
    for (const number of ['9007199254740993', '01234', '1.10', '1e3', '0x10'])
      expect(faultsOf(where(`id: ${number}`))).toEqual([
        `pipelines.yaml:2: ${number} is read as the number ${Number(number)}: write that, or put a text into quotes`,
      ]);
    expect(faultsOf(where(`id: [-7, 1.5], zip: '01234'`))).toEqual([]);
    expect(faultsOf(where('__proto__: 1'))).toEqual([
      'pipelines.yaml:2: nothing here can be named __proto__',
    ]);
  });

  it.each([
    ['30s', 30_000],
    ['15m', 900_000],
    ['2d', 172_800_000],
    ['30d', 2_592_000_000],
  ])('takes a delay of %s', (delay, ms) => {
    expect(read(whole.replace('delay: 1h', `delay: ${delay}`)).pipelines[0]).toMatchObject({ delay: ms });
  });

  it.each([
    ['0h', 'a duration such as 30s, 15m, 1h or 2d'],
    ['31d', 'at most 30d'],
    ['721h', 'at most 30d'],
  ])('refuses a delay of %s', (delay, fault) => {
    expect(faultsOf(whole.replace('delay: 1h', `delay: ${delay}`))).toEqual([
      `pipelines.yaml:10: delay: ${fault}`,
    ]);
  });

  const oneWay = (name: string, from: string, to: string) =>
    `  - { name: ${name}, from: { postgres: orders, table: public.${from} }, to: { mongo: inventory, collection: ${to} } }\n`;
  const back = (name: string, from: string, to: string) =>
    `  - { name: ${name}, from: { mongo: inventory, collection: ${from} }, to: { postgres: orders, table: public.${to} }, columns: { id: _id } }\n`;
  const between = (more: string) =>
    `  - { name: pair, between: [ { postgres: orders, table: public.a }, { mongo: inventory, collection: a } ], conflict: { priority: mongo }${more} }\n`;

  it.each<[string, string, string[]]>([
    [
      'one name twice',
      oneWay('x', 'a', 'a') + oneWay('x', 'b', 'b'),
      ['3: the name x is taken by another pipeline'],
    ],
    [
      'two pipelines into one target',
      oneWay('x', 'a', 'c') + oneWay('y', 'b', 'c'),
      ['3: c of the MongoDB database inventory is already a target of the pipeline x'],
    ],
    [
      'a pipeline into one side of a pair',
      between('') + back('y', 'b', 'a'),
      ['3: public.a of the Postgres database orders is already a target of the pipeline pair'],
    ],
    [
      'a cycle',
      oneWay('x', 'a', 'b') +
        oneWay('other', 'q', 'r') +
        back('y', 'b', 'c') +
        oneWay('z', 'c', 'd') +
        back('w', 'd', 'a'),
      ['6: a cycle: w → x → y → z → w; to keep both sides equal, use between'],
    ],
    [
      'a delay both ways',
      between(', delay: 1h'),
      ['2: delay: delay cannot be kept both ways: two-way pairs are never late on purpose'],
    ],
    [
      'a database that the environment does not name',
      back('x', 'b', 'a').replace('orders', 'shop'),
      ['2: the environment names no postgres database shop; it names orders'],
    ],
    [
      'two fields under one name',
      between(', rename: { a: x, b: x, c: y }, drop: [c]'),
      ['2: a and b would both be x', '2: c is dropped and cannot be renamed'],
    ],
    [
      'a path that leads nowhere',
      back('x', 'b', 'a').replace('id: _id', 'id: _id, n: a..b'),
      ['2: columns.n: a path in the document: names of fields with single dots between them'],
    ],
    [
      'a name of a pair by which Postgres would confuse its tables with another’s',
      between('').replace('name: pair', `name: ${'p'.repeat(54)}`),
      ['2: name: of a pair at most 53 characters: its own tables in Postgres are named after it'],
    ],
    [
      'every table into one collection',
      oneWay('x', '*', 'all'),
      ['2: schema.* needs a collection with *, and one table a collection without'],
    ],
  ])('refuses %s', (_, list, faults) => {
    expect(faultsOf(`pipelines:\n${list}`)).toEqual(faults.map((fault) => `pipelines.yaml:${fault}`));
  });

  it('names the line also of what is found out later', () => {
    const { lineOf, faulty } = read(whole);
    expect(lineOf(['pipelines', 1])).toBe(11);
    expect(faulty([{ path: ['pipelines', 1, 'to'], message: 'a clash' }]).message).toBe(
      'pipelines.yaml:13: a clash',
    );
  });

  it('lets pipelines follow one another, and one source feed several', () => {
    expect(
      faultsOf(`pipelines:\n${oneWay('x', 'a', 'b')}${back('y', 'b', 'c')}${oneWay('z', 'a', 'd')}`),
    ).toEqual([]);
  });
});

describe('pipelines.schema.json', () => {
  it('is what the shipped file names to editors, and the schema that it is read with', () => {
    const shipped = new URL('../../pipelines.yaml', import.meta.url);
    const [, named = ''] =
      /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(shipped, 'utf8')) ?? [];
    const published = readFileSync(new URL(named, shipped), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(pipelinesJsonSchema())));
  });

  it('takes what the file takes, and nothing else', () => {
    const isValid = new Ajv2020({ strict: false }).compile(pipelinesJsonSchema());
    const shipped = readFileSync(new URL('../../pipelines.yaml', import.meta.url), 'utf8');
    expect(isValid(parse(shipped))).toBe(true);
    const entry = { from: { postgres: 'shop', table: 'public.a' }, to: { mongo: 'docs', collection: 'a' } };
    expect(isValid({ pipelines: [{ name: 'a', ...entry, delay: '1h', deletes: 'mark' }] })).toBe(true);
    for (const wrong of [{ deletes: 'hide' }, { snapshots: 'never' }, { name: 7 }, { to: { mongo: 'docs' } }])
      expect([wrong, isValid({ pipelines: [{ name: 'a', ...entry, ...wrong }] })]).toEqual([wrong, false]);
  });
});
