import { beforeEach, describe, expect, it } from 'vitest';
import { NEVER_FAILED, nextRestart, type RestartState } from './restart-schedule.js';

const policy = { firstMs: 1_000, maxMs: 8_000, calmMs: 60_000, longestCalmMs: 600_000, lastingAfter: 3 };
const failed = { connector: { state: 'RUNNING' }, tasks: [{ state: 'FAILED' }] };
const running = { connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }] };

function restartsWithin(ms: number, statusAt: (now: number) => typeof failed) {
  const at: number[] = [];
  let state: RestartState = { ...NEVER_FAILED };
  for (let now = 0; now <= ms; now += 500) {
    const next = nextRestart(state, statusAt(now), now, policy);
    if (next.restart) at.push(now);
    state = next.state;
  }
  return { at, state };
}

it('starts a failed task again after pauses that grow up to a bound', () => {
  const { at, state } = restartsWithin(34_000, () => failed);
  // Each time it is seen to have failed again half a second later.
  expect(at).toEqual([1_000, 3_500, 8_000, 16_500, 25_000, 33_500]);
  expect(state.restarts).toBe(6);
});

it('leaves one alone that runs, and forgives its failures only when it has run for long', () => {
  expect(restartsWithin(30_000, () => running).at).toEqual([]);
  const { state } = restartsWithin(8_000, () => failed);
  const soon = nextRestart(state, running, 8_500, policy).state;
  expect(soon.restarts).toBe(3);
  expect(nextRestart(soon, running, 60_000, policy).state.restarts).toBe(3);
  expect(nextRestart(soon, running, 68_500, policy).state.restarts).toBe(0);
});

describe('a connector that fails again and again', () => {
  let state: RestartState;
  let now: number;
  const isRestarted = (status: typeof failed) => {
    now += 500;
    const next = nextRestart(state, status, now, policy);
    state = next.state;
    return next.restart;
  };
  const runsFor = (ms: number) => {
    for (const until = now + ms; now < until; ) isRestarted(running);
  };
  const fails = () => {
    while (!isRestarted(failed));
  };

  beforeEach(() => {
    state = { ...NEVER_FAILED };
    now = 0;
  });

  it('is counted on where each failure comes after as long a snapshot, until it has run for much longer', () => {
    for (let round = 1; round <= policy.lastingAfter; round++) {
      runsFor(90_000);
      fails();
      expect(state.restarts).toBe(round);
    }
    runsFor(170_000);
    expect(state.restarts).toBe(policy.lastingAfter);
    runsFor(20_000);
    expect(state.restarts).toBe(0);
  });

  it('is forgiven each time where it runs for very long between', () => {
    for (let round = 1; round <= policy.lastingAfter; round++) {
      runsFor(2 * policy.longestCalmMs);
      expect(state.restarts).toBe(0);
      fails();
    }
  });
});
