import { SchemaRegistry } from '@millrace/messaging';
import { BSON, Decimal128, Int32 } from 'mongodb';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openRoute } from '../mapping/open-route.js';
import type { Route } from '../mapping/route.js';
import { changeTopic } from '../names/bridge-names.js';
import { postgresToMongo } from '../pipelines/pipeline.schema.js';
import type { Put } from '../sinks/compaction.js';
import { Captured, mongoName, postgresName } from '../testing/captured.js';
import { Databases } from '../testing/databases.js';
import { exactText } from '../values/exact-text.js';
import { CASE_TYPES, FIDELITY_CASES } from '../values/testing/fidelity.cases.js';
import type { Reading } from './change-reader.js';

const stack = inject('stack');

/** Beside the cases of values: what Debezium loses, and what Postgres leaves out of the log. */
const DOUBTFUL: [type: string, ...literals: string[]][] = [
  ['numeric(10,2)[]', '{NaN}', '{NULL}'],
  ['int2[]', '{{1,2},{3,4}}', '{NULL,NULL}'],
  ['text[]', '{{a,b},{c,d}}'],
  ['date', '-infinity', '1500-01-01', '1582-10-10'],
  ['timestamp', '-infinity', '1500-01-01 00:00:00.000001'],
  ['timestamptz', 'infinity', '1500-01-01 00:00:00+00'],
  ['varbit', '0010', ''],
  ['interval', '-1 mons', '-04:05:06.5', '1 day -00:00:01', '0.000001 sec', 'infinity', '-infinity', '0'],
  ['float4[]', '{0.1,NaN,-0}'],
  ['float8[]', '{-0,5,Infinity}'],
  ['timestamp[]', '{2024-01-01 00:00:00.123456,NULL}', '{infinity}'],
  ['timestamptz[]', '{2024-01-01 00:00:00.123456+02}'],
  ['time[]', '{01:02:03.000001}'],
  ['char(5)[]', '{abc}'],
  ['inet[]', '{10.0.0.1,10.0.0.0/8}'],
  ['int8[]', '{9223372036854775807}'],
  ['interval[]', '{1 day}'],
  ['hstore[]', '{"a=>1"}'],
];
// biome-ignore format: a list
const NEVER_TOLD = [
  '"char"', 'bit(3)', 'box', 'box[]', 'cents[]', 'circle', 'citext[]', 'cube', 'daterange',
  'int2[]', 'int4multirange', 'int4range[]', 'interval[]', 'jsonpath', 'line', 'lseg', 'ltree', 'macaddr8',
  'macaddr[]', 'money[]', 'numeric(10,2)[]', 'nummultirange', 'oid[]', 'path', 'pg_lsn', 'pg_snapshot', 'point',
  'point3', 'point[]', 'polygon', 'regclass', 'time[]', 'timetz', 'tsquery', 'tsrange', 'tstzmultirange',
  'tstzrange', 'tsvector[]', 'txid_snapshot', 'varbit', 'xid8', 'xml[]',
];
const many = (item: string) => `array(select ${item} from generate_series(1, 3000) g)`;
/** What Postgres leaves out of the log where it did not change, and Debezium tells so. */
const LARGE: [column: string, type: string, value: string][] = [
  ['big', 'text', `repeat('a', 5000)`],
  ['js', 'jsonb', `to_jsonb(repeat('b', 5000))`],
  ['bn', 'bytea', `decode(repeat('ab', 5000), 'hex')`],
  ['pairs', 'hstore', `hstore(${many('g')}::text[], ${many('g')}::text[])`],
  ['named', 'labels', `repeat('c', 5000)`],
  ['tree', 'trees', `to_jsonb(repeat('d', 5000))`],
  ['raw', 'raws', `decode(repeat('cd', 5000), 'hex')`],
  ['texts', 'text[]', `array[repeat('q', 5000)]`],
  ['codes', 'varchar[]', many('g')],
  ['short', 'varchar(20)[]', many('g')],
  ['padded', 'char(5)[]', many('g')],
  ['small', 'int4[]', many('g')],
  ['numbers', 'int8[]', many('g')],
  ['ids', 'uuid[]', many('gen_random_uuid()')],
  ['days', 'date[]', many('current_date')],
  ['bytes', 'bytea[]', many(`'\\x01'::bytea`)],
  ['docs', 'jsonb[]', many('to_jsonb(g)')],
  ['jsons', 'json[]', many('to_json(g)')],
];
/** The same, of which it tells null. */
const LARGE_AS_NULL: typeof LARGE = [
  ['flags', 'bool[]', `array(select true from generate_series(1, 9000))`],
  ['tags', 'tags', `array[repeat('q', 5000)]`],
  ['own_tags', 'own_tags', `array[repeat('q', 5000)]`],
  ['counts', 'counts', many('g')],
];
const cases = [
  ...FIDELITY_CASES.map(({ type, literal }): [string, string] => [type, literal]),
  ...DOUBTFUL.flatMap(([type, ...literals]) => literals.map((literal): [string, string] => [type, literal])),
];
const types = [...new Set(cases.map(([type]) => type))];
const literals = types.map((type) => cases.filter(([other]) => other === type).map(([, literal]) => literal));
const rows = Math.max(...literals.map(({ length }) => length)) + 1;
const large = [...LARGE, ...LARGE_AS_NULL];
const topicOf = (table: string) => changeTopic(postgresName(databases), `public.${table}`);

let databases: Databases;
let captured: Captured;
let client: Client;

beforeAll(async () => {
  databases = await Databases.create(stack.databases);
  client = await databases.postgres('owner');
  await client.query(CASE_TYPES);
  await client.query(
    `create table cases (id int primary key, ${types.map((type, i) => `c${i} ${type}`).join()})`,
  );
  await client.query(`
    create domain labels as text; create domain trees as jsonb; create domain raws as bytea;
    create domain tags as text[]; create domain own_tags as tags; create domain counts as int4[];
    create table wide (id int primary key, "a-b" int, a_b int, "$x.y" text, "__proto__" text, "é ü" text,
      ${large.map(([name, type]) => `${name} ${type}`).join()});
    alter table wide ${large.map(([name]) => `alter ${name} set storage external`).join()};
    create table keyed (a int, b text, v int, kept boolean default true, primary key (b, a));
    create table bag (n int, t text); alter table bag replica identity full;
    create table computed (id int primary key, n int, twice int generated always as (n * 2) stored,
      thrice int generated always as (n * 3) virtual);
    create table changing (id int primary key, at timestamp(3), v int);
    create table coarser (id int primary key, at timestamptz);
    create table looser (id int primary key, c char(5), n numeric(10,2), at timestamptz(3));
    create table days (day date, n int); alter table days replica identity full`);
  await fill(0);
  await client.query(`insert into bag values (1, 'x'), (1, 'x'), (2, null)`);
  captured = await Captured.start(
    stack,
    databases,
    'postgres',
    ['cases', 'wide', 'keyed', 'bag', 'changing', 'computed', 'days', 'coarser', 'looser'].map(
      (table) => `public.${table}`,
    ),
  );
}, 180_000);

afterAll(async () => {
  await captured?.[Symbol.asyncDispose]();
  await databases?.[Symbol.asyncDispose]();
});

async function fill(from: number): Promise<void> {
  for (let row = 0; row < rows; row++) {
    const values = literals.map((each, i) =>
      each[row] === undefined ? 'null' : `'${each[row]?.replaceAll("'", "''")}'::text::${types[i]}`,
    );
    await client.query(`insert into cases values (${from + row}, ${values.join()})`);
  }
}

function open(table: string, more: object = {}): Promise<Route> {
  const pipeline = postgresToMongo.parse({
    name: table,
    from: { postgres: postgresName(databases), table: `public.${table}` },
    to: { mongo: mongoName(databases), collection: table },
    ...more,
  });
  return openRoute(pipeline, captured.databases, new SchemaRegistry({ url: stack.registry.url }));
}

async function readings(route: Route, count: number): Promise<Reading[]> {
  const records = await captured.of(route.topic, count);
  return Promise.all(records.map((record) => route.reader.read(record)));
}

const changeOf = (reading: Reading | undefined) => (reading?.kind === 'change' ? reading.change : reading);

describe('the changes of a Postgres table', () => {
  it('give every value as it is in the source, or ask to read it there', async () => {
    await fill(1_000);
    const route = await open('cases');
    const puts = (await readings(route, 2 * rows)).map(changeOf) as Put[];
    expect(puts).toHaveLength(2 * rows);
    const wrong: string[] = [];
    const told = new Set<string>();
    const notTold = new Set<string>();
    for (const [i, put] of puts.entries()) {
      const source = (await route.source.read([put.key]))[0] as Put;
      for (const [c, type] of types.entries()) {
        const name = `c${c}`;
        const row = Number(put.key.text.slice(1).replace(/e0$/, ''));
        const where = `${type} ${literals[c]?.[i % rows] ?? 'NULL'} of ${put.key.text} ${row}`;
        if (put.omitted.includes(name)) {
          if (!put.isNew) wrong.push(`${where}: not to be read again`);
          notTold.add(type);
        } else {
          told.add(type);
          if (exactText(put.fields[name]) !== exactText(source.fields[name])) {
            wrong.push(
              `${where}: ${BSON.EJSON.stringify(put.fields[name])} for ${BSON.EJSON.stringify(source.fields[name])}`,
            );
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    // Not one of these may cost a read at every change.
    const always = types.filter((type) => !told.has(type));
    expect(always.sort()).toEqual(NEVER_TOLD.toSorted());
    expect([...notTold]).toEqual(
      expect.arrayContaining(['numeric(10,2)[]', 'date', 'timestamp', 'text[]', 'int2[]']),
    );
  });

  it('tell the rows of a snapshot by its name, and later ones by none', async () => {
    const route = await open('cases');
    const snapshots = (await readings(route, 2 * rows)).map((reading) =>
      reading.kind === 'change' ? reading.snapshot : undefined,
    );
    const names = new Set(snapshots.slice());
    expect(names.size).toBe(2);
    expect(names).toContain(null);
    expect(snapshots.filter((name) => name === null)).toHaveLength(rows);
  });

  it('leave out what did not change, whatever its type, under the names of the columns', async () => {
    await client.query(
      `insert into wide values (1, 2, 3, 'd', 'p', 'u', ${large.map(([, , value]) => value).join()})`,
    );
    await client.query(`update wide set a_b = 4, "a-b" = 5`);
    const route = await open('wide');
    const [inserted, updated] = (await readings(route, 2)).map(changeOf) as Put[];
    const [source] = (await route.source.read([(inserted as Put).key])) as [Put];
    const changed = (name: string) => name === 'a_b' || name === 'a-b';
    const unchanged = ({ fields }: Put) =>
      Object.entries(fields)
        .filter(([name]) => !changed(name))
        .map(([name, value]) => [name, exactText(value)]);
    const [left, right] = [unchanged(inserted as Put), unchanged(source)];
    expect(left.filter((field, i) => String(field) !== String(right[i])).map(([name]) => name)).toEqual([]);
    expect(inserted?.omitted).toEqual([]);
    expect(updated?.omitted.toSorted()).toEqual(large.map(([name]) => name).sort());
    expect(Object.entries(updated?.fields ?? {}).map(([name, value]) => [name, String(value)])).toEqual([
      ['_id', '1'],
      ['a-b', '5'],
      ['a_b', '4'],
      ['$x.y', 'd'],
      ['__proto__', 'p'],
      ['é ü', 'u'],
    ]);
    // A null may stand for a value that did not change, so that the row must be read again.
    expect(updated?.isNew).toBe(true);
  });

  it('move a row to its new key, delete it, and tell that all went at once', async () => {
    await client.query(`insert into keyed values (1, 'x', 10)`);
    await client.query(`update keyed set a = 2`);
    await client.query(`delete from keyed`);
    await client.query(`truncate keyed`);
    const route = await open('keyed', { deletes: 'ignore' });
    const read = await readings(route, 7);
    const shown = read.map((reading) => {
      const change = changeOf(reading);
      return [change?.kind, JSON.stringify(change && 'key' in change ? change.key.fields._id : null)];
    });
    // Partitions come in any order.
    expect(shown.sort()).toEqual([
      ['delete', '{"b":"x","a":1}'],
      ['nothing', 'null'],
      ['nothing', 'null'],
      ['nothing', 'null'],
      ['put', '{"b":"x","a":1}'],
      ['put', '{"b":"x","a":2}'],
      ['truncate', 'null'],
    ]);
  });

  it('take a row that leaves the filter away, and mark what is gone', async () => {
    await client.query(`insert into keyed values (7, 'f', 1, true)`);
    await client.query(`update keyed set kept = false where a = 7`);
    const route = await open('keyed', { where: { kept: true }, deletes: 'mark', drop: ['kept'] });
    const records = await captured.of(route.topic, 9);
    const all = await Promise.all(records.map((record) => route.reader.read(record)));
    const ours = all
      .map(changeOf)
      .filter((change) => change && 'key' in change && change.key.text.includes('7e0')) as Put[];
    expect(
      ours.map(({ fields, omitted, ifThere }) => [
        Object.keys(fields),
        fields.deleted_at instanceof Date,
        omitted,
        ifThere,
      ]),
    ).toEqual([
      [['_id', 'deleted_at', 'v'], false, [], undefined],
      [['_id', 'deleted_at'], true, ['v'], true],
    ]);
  });

  it('know rows without a key by all that they hold', async () => {
    await client.query(`update bag set n = 9 where ctid = (select min(ctid) from bag where n = 1)`);
    await client.query('delete from bag where n = 2');
    const route = await open('bag');
    expect(route.keyless).toBe(true);
    const changes = (await readings(route, 6)).map(changeOf) as Put[];
    const [one, same, two, nine, gone] = changes;
    expect(route.rowOf((one as Put).key)).toBe(route.rowOf((same as Put).key));
    expect(one?.key.text).not.toBe(same?.key.text);
    expect(nine?.replaces).toEqual({ kind: 'removal', row: route.rowOf((one as Put).key) });
    expect(gone).toEqual({ kind: 'removal', row: route.rowOf((two as Put).key) });
    const source: string[] = [];
    for await (const page of route.source.all(AbortSignal.timeout(10_000)))
      source.push(...page.map(({ key }) => route.rowOf(key)));
    expect(source.sort()).toEqual([route.rowOf((one as Put).key), route.rowOf((nine as Put).key)].sort());

    // What leaves the filter goes as what is deleted does.
    const kinds = async (deletes: string) => {
      const filtered = await open('bag', { deletes, where: { n: 1 } });
      return (await readings(filtered, 6)).map((reading) => changeOf(reading)?.kind);
    };
    expect(await kinds('apply')).toEqual(['put', 'put', 'nothing', 'removal', 'nothing', 'nothing']);
    expect(await kinds('ignore')).toEqual(['put', 'put', 'nothing', 'nothing', 'nothing', 'nothing']);
  });

  it('are refused without a key where they do not tell what the filter looks at', async () => {
    await client.query(`insert into days values ('2024-01-01', 1), ('infinity', 2)`);
    const route = await open('days', { where: { day: '2024-01-01' }, drop: ['day'] });
    const [first, second] = await captured.of(route.topic, 2);
    expect(await route.reader.read(first as never)).toMatchObject({ kind: 'change' });
    await expect(route.reader.read(second as never)).rejects.toThrow(/column of where.*without a key/);
  });

  it('tell a generated column that is stored, and ask to read one that is not', async () => {
    await client.query('insert into computed values (1, 5)');
    await client.query('update computed set n = 6');
    const route = await open('computed');
    const told = (await readings(route, 2)).map(changeOf) as Put[];
    expect(told.map(({ fields, omitted, isNew }) => [String(fields.twice), omitted, isNew])).toEqual([
      ['10', ['thrice'], true],
      ['12', ['thrice'], true],
    ]);
    const [source] = await route.source.read([(told[0] as Put).key]);
    expect(source?.fields).toMatchObject({ twice: new Int32(12), thrice: new Int32(18) });
  });

  it('follow a column that comes while they stream, and do not take an old form for the new', async () => {
    const route = await open('changing');
    await client.query(`insert into changing values (1, '2024-01-01 00:00:00.5', 1)`);
    await captured.of(topicOf('changing'), 1);
    await client.query(`alter table changing add note text default 'n', alter at type timestamp(6)`);
    await client.query(`update changing set v = 2`);
    const [first, second] = (await readings(route, 2)).map(changeOf) as Put[];
    expect([first?.omitted, first?.isNew]).toEqual([['at', 'note'], true]);
    expect(second?.fields).toMatchObject({ at: '2024-01-01T00:00:00.5', note: 'n' });
  });

  it('know a column’s new type where Avro has the same for both', async () => {
    const route = await open('looser');
    await client.query(`insert into looser values (1, 'ab', 1.50, '2024-01-01 00:00:00.5+00')`);
    const before = changeOf((await readings(route, 1))[0]) as Put;
    const at = new Date('2024-01-01T00:00:00.5Z');
    expect(before).toMatchObject({ fields: { c: 'ab', n: Decimal128.fromString('1.50'), at }, omitted: [] });
    await client.query(`alter table looser alter c type text, alter n type numeric, alter at type timestamptz;
      insert into looser values (2, 'ab  ', 1.50, '2024-01-01 00:00:00.123456+00')`);
    const after = changeOf((await readings(route, 2))[1]) as Put;
    const fields = { c: 'ab  ', n: '1.50', at: '2024-01-01T00:00:00.123456Z' };
    expect(after).toMatchObject({ fields, omitted: [] });
  });

  it('ask for the row of a value that the column’s type of today cannot hold', async () => {
    await client.query(`insert into coarser values (1, '2024-01-01 00:00:00.123456+00')`);
    await captured.of(topicOf('coarser'), 1);
    await client.query('alter table coarser alter at type timestamptz(3)');
    const route = await open('coarser');
    const put = changeOf((await readings(route, 1))[0]) as Put;
    expect(put).toMatchObject({ omitted: ['at'], isNew: true });
    const [source] = await route.source.read([put.key]);
    expect(source?.fields.at).toEqual(new Date('2024-01-01T00:00:00.123Z'));
  });
});
