import type { ClientBase } from 'pg';
import { decide } from '../pair.decision.js';
import { type PairParts, PairSync } from '../pair.sync.js';
import { PostgresSide, RowsMoved, type RowWrite } from '../postgres.side.js';

/** Overwrites rows whatever became of them since they were read. */
class TrustingSide extends PostgresSide {
  override async stillAsRead(_: ClientBase, writes: readonly RowWrite[]): Promise<RowWrite[]> {
    return [...writes];
  }

  override async write(client: ClientBase, writes: readonly RowWrite[]): Promise<void> {
    await super.write(client, writes).catch((error: unknown) => {
      if (!(error instanceof RowsMoved)) throw error;
    });
  }
}

/** Rounds that lack one of the guards of a pair, to see that a test notices. */
export const withoutGuard = {
  'the rev check': (parts: PairParts) => {
    const { tables, mapping, state } = parts.postgres;
    const trusting = new TrustingSide({ schema: 'public', table: 'customers' }, tables, mapping, state);
    return new PairSync({ ...parts, postgres: trusting });
  },
  accepted: (parts: PairParts) =>
    new PairSync(parts, (standing) => decide({ ...standing, accepted: null }, parts.policy)),
};
