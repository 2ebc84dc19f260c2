import type { ConnectorStatus } from './connect-api.js';

/** Both the connector and its tasks: Connect makes the tasks a moment after the connector. */
export function isRunning({ connector, tasks }: ConnectorStatus): boolean {
  return tasks.length > 0 && [connector, ...tasks].every(({ state }) => state === 'RUNNING');
}

/** Stopped, and no task of it still at work. */
export function isStopped({ connector, tasks }: ConnectorStatus): boolean {
  return connector.state === 'STOPPED' && tasks.length === 0;
}

/** Why it failed: the innermost cause in the trace, where there is one. */
export function faultOf({ connector, tasks }: ConnectorStatus): string | undefined {
  const failed = [connector, ...tasks].find(({ state }) => state === 'FAILED');
  if (!failed) return undefined;
  const lines = (failed.trace ?? '').split('\n');
  return lines.findLast((line) => line.startsWith('Caused by:')) ?? lines[0] ?? 'FAILED';
}
