import { z } from 'zod';

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DELAY_MS = 30 * UNITS_MS.d;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63')
  .describe('Names the pipeline in the API, in metrics and in its topics');

/** Postgres cuts names at 63 bytes; of a pair's own tables the longest are `<name>_conflicts` and `<name>_truncated`. */
const pairName = name.regex(
  /^.{1,53}$/,
  'of a pair at most 53 characters: its own tables in Postgres are named after it',
);

export const database = z.string().min(1).describe('A database by the name that the environment gives it');

const table = z
  .string()
  .regex(/^[^.*]+\.[^.*]+$/, 'a table as schema.table')
  .describe('schema.table');
export const tables = z
  .string()
  .regex(/^[^.*]+\.(?:[^.*]+|\*)$/, 'a table as schema.table, or every table of a schema as schema.*')
  .describe('schema.table, or schema.* for every table of the schema');
export const collection = z
  .string()
  .regex(/^(?!system\.)[^$*\0]+$/, 'the name of a collection')
  .describe('The name of a collection');
export const collections = z
  .string()
  .regex(/^(?!system\.)[^$*\0]*\*?[^$*\0]*$/, 'the name of a collection, in which * stands for the table')
  .min(1)
  .describe('The name of a collection; with schema.* the asterisk stands for the name of the table');

const path = z
  .string()
  .regex(/^[^.\0]+(\.[^.\0]+)*$/, 'a path in the document: names of fields with single dots between them');

const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'a duration such as 30s, 15m, 1h or 2d')
  .transform((text) => Number(text.slice(0, -1)) * UNITS_MS[text.slice(-1) as keyof typeof UNITS_MS])
  .refine((ms) => ms <= MAX_DELAY_MS, 'at most 30d');

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const where = z
  .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
  .describe(
    'Only rows whose fields have this value, or one of these; a row that leaves is deleted at the target',
  );

const rename = z.record(z.string(), z.string().min(1)).describe('Fields under another name at the target');
const drop = z.array(z.string().min(1)).describe('Fields that the target does not get');

const oneWay = {
  name,
  where: where.optional(),
  deletes: z
    .enum(['apply', 'ignore', 'mark'])
    .default('apply')
    .describe('What a deletion does at the target: the same, nothing, or a mark with its time'),
  snapshot: z
    .enum(['initial', 'never'])
    .default('initial')
    .describe('Whether the rows that are there flow first'),
  delay: duration.optional().describe('Keeps the target that far behind, to recover an earlier state from'),
};

const postgresTable = z.strictObject({ postgres: database, table });
const mongoCollection = z.strictObject({ mongo: database, collection });

export const postgresToMongo = z.strictObject({
  ...oneWay,
  from: z.strictObject({ postgres: database, table: tables }),
  to: z.strictObject({ mongo: database, collection: collections }),
  appendOnly: z
    .boolean()
    .default(false)
    .describe('Rows are only ever inserted: lets a table without a primary key flow'),
  rename: rename.default({}),
  drop: drop.default([]),
});

export const mongoToPostgres = z.strictObject({
  ...oneWay,
  from: mongoCollection,
  to: postgresTable,
  columns: z
    .record(
      z.string().min(1),
      z.union(
        [path, z.strictObject({ path, type: z.string().min(1).describe('Its Postgres type') })],
        'a path in the document such as stock.onHand, or one with a type',
      ),
    )
    .refine((columns) => Object.keys(columns).length > 0, 'at least one column')
    .describe('Each column and the path in the document that it gets: sku: _id, on_hand: stock.onHand'),
  rest: z.string().min(1).optional().describe('A jsonb column for what no path leads to'),
  create: z.boolean().default(false).describe('Makes the table where there is none'),
});

export const twoWay = z.strictObject({
  name: pairName,
  between: z.tuple([postgresTable, mongoCollection]).describe('The table first, then the collection'),
  key: z
    .enum(['native', 'objectId'])
    .default('native')
    .describe('What _id is: the key as its column’s type maps, or an ObjectId for its hexadecimal text'),
  rename: rename.default({}),
  drop: drop.default([]),
  conflict: z
    .strictObject({
      priority: z.enum(['postgres', 'mongo']).describe('The side that wins; with newest: on a tie'),
      newest: z.string().min(1).optional().describe('A timestamp column: the later one wins'),
    })
    .describe('Who wins where both sides changed'),
  delay: z.never('delay cannot be kept both ways: two-way pairs are never late on purpose').optional(),
});

export type PostgresToMongo = z.output<typeof postgresToMongo>;
export type MongoToPostgres = z.output<typeof mongoToPostgres>;
export type OneWayPipeline = PostgresToMongo | MongoToPostgres;
export type TwoWayPipeline = z.output<typeof twoWay>;
export type Pipeline = OneWayPipeline | TwoWayPipeline;

export function isTwoWay(pipeline: Pipeline): pipeline is TwoWayPipeline {
  return 'between' in pipeline;
}

/** The JSON Schema of pipelines.yaml, as `pipelines.schema.json` publishes it for editors. */
export function pipelinesJsonSchema(): object {
  const file = z.strictObject({
    pipelines: z.array(z.union([postgresToMongo, mongoToPostgres, twoWay])),
  });
  return z.toJSONSchema(file, { io: 'input', reused: 'ref' });
}
