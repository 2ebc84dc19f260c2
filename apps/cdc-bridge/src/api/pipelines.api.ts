import { z } from 'zod';
import type { PipelineStatus } from '../runner/pipeline.service.js';

export const pipelineName = z.string().min(1).max(200).describe('The name of a pipeline in the file');

const counted = z.object({ count: z.int(), sample: z.array(z.looseObject({})) });

export const pipelineView = z.object({
  name: z.string(),
  kind: z.enum(['one-way', 'two-way']),
  from: z.string().describe('What is read; of a pair its table'),
  to: z.string().describe('What is written; of a pair its collection'),
  state: z
    .enum(['starting', 'running', 'paused', 'waiting', 'stopped'])
    .describe('waiting: something that it needs does not answer; stopped: a person has to see to it'),
  reasons: z.array(z.string()).describe('Why it does not do its work, as this instance sees it'),
  lag: z.object({
    records: z.number().nullable().describe('Records that wait in the topic, transaction markers included'),
    sourceSeconds: z.number().nullable().describe('How far the connector is behind the source'),
    sinkSeconds: z.number().nullable().describe('Age of the oldest change that is not applied, at most'),
  }),
  rows: z.object({
    read: z.number().describe('Changes read, ever'),
    applied: z.number().describe('Of these, those that were applied: each once'),
  }),
  lastError: z.object({ code: z.string(), message: z.string(), at: z.iso.datetime().optional() }).nullable(),
  sweep: z
    .object({ reason: z.string(), requestedAt: z.iso.datetime() })
    .nullable()
    .describe('A comparison of every row that was asked for and is not done'),
  reports: z.array(z.string()).describe('What values may lose on their way, and applications meet'),
  pair: z
    .object({
      conflicts: z.number().describe('Decided by all instances, ever'),
      withoutWrite: z.number().describe('Hints that needed no write: echoes and repeats'),
      queued: z.number().describe('Keys that wait to be looked at'),
      parked: counted.describe('Keys that one side refuses'),
      unmapped: counted.describe('Documents whose _id stands for no key'),
    })
    .optional(),
});
export type PipelineView = z.output<typeof pipelineView>;

export const pipelineList = z.object({ items: z.array(pipelineView) });
export type PipelineList = z.output<typeof pipelineList>;

export const verifyView = z.looseObject({
  sourceRows: z.number(),
  targetRows: z.number(),
  compared: z.number(),
  missing: z.number().describe('Rows that the target lacks'),
  extra: z.number().describe('Rows that only the target has'),
  different: z.number(),
  pending: z.number().optional().describe('Rows whose changes wait, because the pipeline is delayed'),
  unsettled: z
    .number()
    .describe('Rows of which nothing is known: they changed each time they were looked at'),
  sample: z.array(z.looseObject({ key: z.string(), kind: z.string() })),
  note: z.string().nullable().describe('What the numbers alone do not say'),
});

export const repairPipeline = z.strictObject({
  from: z
    .enum(['postgres', 'mongo'])
    .optional()
    .describe('Of a pair: the side that wins wherever both differ, for a database restored from a copy'),
});
export type RepairPipeline = z.output<typeof repairPipeline>;

/** A side in the query would be passed over in silence: it is refused. */
export const noQuery = z.strictObject({});

export const repairView = z.looseObject({});

export const replayView = z.looseObject({
  letters: z.number().describe('Records in the dead-letter topic'),
  unreadable: z.number().describe('Of these, those that name no row: they still cannot be read'),
  pending: z.number().describe('Rows that are left to a change of theirs that waits for the delay'),
  repaired: z.looseObject({}).describe('What became of the rows of the others'),
});

export const restoredView = z.object({ restored: z.literal(true) });

export const listConflicts = z.strictObject({
  before: z.string().min(1).max(100).optional().describe('nextBefore of the page before; none: the newest'),
  limit: z.coerce
    .number('must be a whole number from 1 to 200')
    .int('must be a whole number from 1 to 200')
    .min(1, 'must be a whole number from 1 to 200')
    .max(200, 'must be a whole number from 1 to 200')
    .default(50)
    .describe('Most conflicts in a page'),
});
export type ListConflicts = z.output<typeof listConflicts>;

export const conflictPage = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      key: z.string(),
      at: z.iso.datetime(),
      lost: z.enum(['postgres', 'mongo']).describe('Whose row or document was overwritten'),
      loser: z.record(z.string(), z.unknown()).nullable().describe('It whole; null where it was deleted'),
    }),
  ),
  nextBefore: z
    .string()
    .nullable()
    .describe('Give it as before to get the next page; null: this is the last'),
});
export type ConflictPage = z.output<typeof conflictPage>;

export function toPipelineView({
  lastError,
  sweep,
  reasons,
  reports,
  pair,
  ...status
}: PipelineStatus): PipelineView {
  const { at, ...error } = lastError ?? { code: '', message: '' };
  return {
    ...status,
    reasons: [...reasons],
    reports: [...reports],
    lastError: lastError && { ...error, ...(at && { at: at.toISOString() }) },
    sweep: sweep && { reason: sweep.reason, requestedAt: sweep.requestedAt.toISOString() },
    ...(pair && {
      pair: {
        ...pair,
        parked: { count: pair.parked.count, sample: pair.parked.sample.map(toPlain) },
        unmapped: { count: pair.unmapped.count, sample: pair.unmapped.sample.map(toPlain) },
      },
    }),
  };
}

function toPlain(item: object): Record<string, unknown> {
  return JSON.parse(JSON.stringify(item)) as Record<string, unknown>;
}
