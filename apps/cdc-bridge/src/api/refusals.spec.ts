import { setTimeout as delay } from 'node:timers/promises';
import { ProblemException } from '@millrace/service-defaults';
import { expect, it } from 'vitest';
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
