import { backoffMs, type ConnectorStatus } from '@millrace/messaging';

/** How failed tasks are started again. All in milliseconds. */
export interface RestartPolicy {
  /** Before the first restart; doubled each time. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** A connector that has run so long, and twice as long as before its last failure, is forgiven its failures. */
  readonly calmMs: number;
  /** And one that has run so long in any case. */
  readonly longestCalmMs: number;
  /** After so many restarts a fault counts as one that they do not mend. */
  readonly lastingAfter: number;
}

export const RESTARTS: RestartPolicy = {
  firstMs: 1_000,
  maxMs: 60_000,
  calmMs: 60_000,
  longestCalmMs: 12 * 3_600_000,
  lastingAfter: 5,
};

/** A connector's past, as far as restarts depend on it. */
export interface RestartState {
  readonly restarts: number;
  /** Since when it has run, or failed, without a change; one that was started again counts as running. */
  readonly since: number;
  readonly isFailed: boolean;
  /** How long it ran before it last failed: what fails at the same row does so after as long a snapshot. */
  readonly ranMs: number;
}

export const NEVER_FAILED: RestartState = { restarts: 0, since: 0, isFailed: false, ranMs: 0 };

/** Whether to start failed tasks again now, and what to remember. */
export function nextRestart(
  state: RestartState,
  status: ConnectorStatus,
  now: number,
  policy: RestartPolicy,
): { readonly state: RestartState; readonly restart: boolean } {
  const isFailed = [status.connector, ...status.tasks].some((part) => part.state === 'FAILED');
  const isChanged = isFailed !== state.isFailed;
  const since = isChanged ? now : state.since;
  if (!isFailed) {
    const calmMs = Math.max(policy.calmMs, Math.min(2 * state.ranMs, policy.longestCalmMs));
    const isForgiven = now - since >= calmMs;
    return {
      state: { ...state, restarts: isForgiven ? 0 : state.restarts, since, isFailed },
      restart: false,
    };
  }
  const ranMs = isChanged ? now - state.since : state.ranMs;
  const pause = backoffMs(policy, state.restarts + 1, () => 0);
  if (now - since < pause) return { state: { ...state, since, isFailed, ranMs }, restart: false };
  return { state: { restarts: state.restarts + 1, since: now, isFailed: false, ranMs }, restart: true };
}
