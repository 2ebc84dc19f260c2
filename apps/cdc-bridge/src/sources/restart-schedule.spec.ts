import { expect, it } from 'vitest';
import { NEVER_FAILED, nextRestart, type RestartState } from './restart-schedule.js';

const policy = { firstMs: 1_000, maxMs: 8_000, calmMs: 60_000, lastingAfter: 3 };
const failed = { connector: { state: 'RUNNING' }, tasks: [{ state: 'FAILED' }] };
const running = { connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }] };

function restartsWithin(ms: number, status: typeof failed): { at: number[]; state: RestartState } {
  const at: number[] = [];
  let state: RestartState = { ...NEVER_FAILED };
  for (let now = 0; now <= ms; now += 500) {
    const next = nextRestart(state, status, now, policy);
    if (next.restart) at.push(now);
    state = next.state;
  }
  return { at, state };
}

it('starts a failed task again after pauses that grow up to a bound', () => {
  const { at, state } = restartsWithin(32_000, failed);
  expect(at).toEqual([1_000, 3_000, 7_000, 15_000, 23_000, 31_000]);
  expect(state.restarts).toBe(6);
});

it('leaves one alone that runs, and forgives its failures only when it has run for long', () => {
  expect(restartsWithin(30_000, running).at).toEqual([]);
  const { state } = restartsWithin(8_000, failed);
  const soon = nextRestart(state, running, 8_500, policy).state;
  expect(soon.restarts).toBe(3);
  expect(nextRestart(soon, running, 60_000, policy).state.restarts).toBe(3);
  expect(nextRestart(soon, running, 68_500, policy).state.restarts).toBe(0);
});
