import { describe, expect, it } from 'vitest';
import { faultOf, isRunning, isStopped } from './connector-status.js';

describe("a connector's status", () => {
  const running = { state: 'RUNNING' };

  it('counts as running only with its tasks', () => {
    expect(isRunning({ connector: running, tasks: [running] })).toBe(true);
    expect(isRunning({ connector: running, tasks: [] })).toBe(false);
    expect(isRunning({ connector: running, tasks: [{ state: 'FAILED' }] })).toBe(false);
  });

  it('counts as stopped only without its tasks', () => {
    expect(isStopped({ connector: { state: 'STOPPED' }, tasks: [] })).toBe(true);
    expect(isStopped({ connector: { state: 'STOPPED' }, tasks: [running] })).toBe(false);
  });

  it('tells the innermost cause of a failed task', () => {
    const trace = 'ConnectException: failed\n\tat a.b\nCaused by: PSQLException: no such slot\n\tat c.d';
    expect(faultOf({ connector: running, tasks: [{ state: 'FAILED', trace }] })).toBe(
      'Caused by: PSQLException: no such slot',
    );
    expect(faultOf({ connector: running, tasks: [running] })).toBeUndefined();
  });
});
