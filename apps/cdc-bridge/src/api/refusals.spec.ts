import { setTimeout as delay } from 'node:timers/promises';
import { ProblemException } from '@millrace/service-defaults';
import pg from 'pg';
import { expect, it } from 'vitest';
import { RestoreRefused } from '../pairs/conflict.log.js';
import { fromPostgres } from '../sinks/sink.error.js';
import { answering, inTime } from './refusals.js';

const problemOf = async (work: () => Promise<unknown>): Promise<ProblemException> =>
  (await answering(work).catch((error: unknown) => error)) as ProblemException;

it('names work that took too long, however it tells of that', async () => {
  const waits = (signal: AbortSignal) => delay(60_000, undefined, { signal });
  const itself = async (signal: AbortSignal) => {
    await waits(signal).catch(() => undefined);
    throw signal.reason; // a DOMException, whose code is a number
  };
  for (const work of [waits, itself]) {
    const problem = await problemOf(() => inTime(20, work));
    expect(problem).toBeInstanceOf(ProblemException);
    expect([problem.getStatus(), problem.code]).toEqual([504, 'WORK_TIMEOUT']);
    expect(problem.message).toContain('0.02 s');
  }
});

it('gives a driver’s error a name of the bridge’s own', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 11_600 });
  const problem = await problemOf(() => Promise.reject(away));
  expect([problem.getStatus(), problem.code]).toEqual([503, 'UNAVAILABLE']);
  const refused = await problemOf(() => inTime(1_000, () => Promise.reject(away)));
  expect(refused.getStatus()).toBe(503);
});

it('answers with the database’s own words where it does not take a loser back, and asks to wait for a lock', async () => {
  const of = (code: string, text: string) =>
    fromPostgres(Object.assign(new pg.DatabaseError(text, 0, 'error'), { code }));
  const taken = of('23505', 'duplicate key value violates unique constraint "people_name_key"');
  const refused = await problemOf(() => Promise.reject(new RestoreRefused('postgres', taken)));
  expect([refused.getStatus(), refused.code]).toEqual([409, 'RESTORE_REFUSED']);
  expect(refused.message).toContain('people_name_key');
  const held = await problemOf(() => Promise.reject(of('55P03', 'canceling statement due to lock timeout')));
  expect([held.getStatus(), held.code]).toEqual([503, 'SINK_CONFLICT']);
});
