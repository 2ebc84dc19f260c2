import type { Differences } from '@millrace/testing';
import { expect } from 'vitest';
import type { VerifyReport } from '../../verification/verify-report.js';
import type { BridgeUnderTest } from '../bridge-under-test.js';
import { StreamedChanges } from '../streamed-changes.js';

export interface LoadedPipeline {
  readonly name: string;
  readonly topic: string;
  /** The tests' own comparison of its two sides. */
  compare(): Promise<Differences>;
}

/** How many changes of each kind a pipeline's topic gets: `c`, `u` and `d`. */
export type Changes = Readonly<Record<string, number>>;

/** What must hold of pipelines that were under load. */
export class LoadChecks {
  constructor(
    readonly bridge: BridgeUnderTest,
    readonly pipelines: readonly LoadedPipeline[],
  ) {}

  /** Both sides are equal: the bridge says so, and so does the tests' own comparison. */
  async expectEqual(): Promise<void> {
    for (const { name, compare } of this.pipelines) {
      const verified = await this.bridge.ask<VerifyReport>('POST', `/pipelines/${name}/verify`);
      const { rows, documents, ...differences } = await compare();
      expect({ name, ...verified }).toMatchObject({
        name,
        sourceRows: rows,
        targetRows: rows,
        missing: 0,
        extra: 0,
        different: 0,
        pending: 0,
        unsettled: 0,
      });
      expect({ name, ...differences }).toEqual({
        name,
        onlyInTable: [],
        onlyInCollection: [],
        different: [],
      });
      expect(rows).toBeGreaterThan(0);
    }
  }

  /**
   * Of what is written while `load` runs, each change stands in its topic once and was applied once, and both sides
   * end equal.
   * @param load resolves with the changes by pipeline, in the pipelines' order
   */
  async expectOnce(load: () => Promise<readonly Changes[]>): Promise<void> {
    const rowsOf = async () =>
      Promise.all(this.pipelines.map(async ({ name }) => (await this.bridge.untilIdle(name, 300_000)).rows));
    const before = await rowsOf();
    const log = await StreamedChanges.fromNow(
      this.bridge.stack,
      this.pipelines.map(({ topic }) => topic),
    );
    const changes = await load();
    await this.expectEqual();
    const after = await rowsOf();
    const counted = await log.count();
    for (const [i, { name, topic }] of this.pipelines.entries()) {
      const ops = changes[i] as Changes;
      expect({ name, ...counted[topic] }).toEqual({ name, ops, repeated: [] });
      const total = Object.values(ops).reduce((sum, count) => sum + count, 0);
      const more = (of: 'read' | 'applied') => (after[i]?.[of] ?? 0) - (before[i]?.[of] ?? 0);
      expect({ name, read: more('read'), applied: more('applied') }).toEqual({
        name,
        read: total,
        applied: total,
      });
    }
  }
}
