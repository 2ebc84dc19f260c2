import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConflictPolicy, decide, decideFor, NO_BASE, type Standing } from './pair.decision.js';
import { type Image, ImageFields } from './pair.image.js';
import { type Guard, type Scenario, simulate } from './testing/pair.model.js';

const RUNS_PER_POLICY = 40_000;
const SEED = 20_261;

const policies: Record<string, ConflictPolicy> = {
  'priority: postgres': { priority: 'postgres' },
  'priority: mongo': { priority: 'mongo' },
  'newest, else postgres': { newest: 'at', priority: 'postgres' },
  'newest, else mongo': { newest: 'at', priority: 'mongo' },
};

function scenarios(part: Pick<Scenario, 'policy' | 'sequential' | 'without'>): fc.Arbitrary<Scenario> {
  return fc.record({
    actions: fc.noBias(fc.uint8Array({ minLength: 6, maxLength: 60, size: 'max' })),
    seed: fc.nat(),
    touches: fc.boolean(),
    policy: fc.constant(part.policy),
    sequential: fc.constant(part.sequential),
    without: fc.constant(part.without),
  });
}

/** Fails with the shortest history that shows the fault. */
function check(part: Pick<Scenario, 'policy' | 'sequential' | 'without'>, numRuns: number): number {
  let conflicts = 0;
  fc.assert(
    fc.property(scenarios(part), (scenario) => {
      const outcome = simulate(scenario);
      conflicts += outcome.conflicts;
      if (outcome.fault) throw new Error(`${outcome.fault}: ${outcome.history.join(' ')}`);
    }),
    { numRuns, seed: SEED, includeErrorInReport: true },
  );
  return conflicts;
}

describe('a pair under two workers, crashes, zombies, repeated hints, and values that the database alters', () => {
  it.each(Object.entries(policies))(
    'ends equal with no write lost, %s',
    { timeout: 300_000 },
    (_, policy) => {
      const conflicts = check({ policy, sequential: false, without: 'none' }, RUNS_PER_POLICY);
      expect(conflicts).toBeGreaterThan(RUNS_PER_POLICY / 4);
    },
  );

  it.each(Object.entries(policies))('meets no conflict where nothing is concurrent, %s', (_, policy) => {
    expect(check({ policy, sequential: true, without: 'none' }, 2_000)).toBe(0);
  });

  it.each<[Guard, RegExp]>([
    ['rev', /lost|differ/],
    ['document', /lost|differ/],
    ['accepted', /conflict|lost|differ/],
    ['row hash', /differ/],
    ['lock', /conflict|lost|differ/],
    ['columns', /conflict/],
  ])('is caught without the check of: %s', { timeout: 60_000 }, (without, fault) => {
    const broken = () => check({ policy: { priority: 'postgres' }, sequential: false, without }, 60_000);
    expect(broken).toThrow(fault);
  });
});

const FIELDS = ['name', 'at'];
const image = (name: string, at: number) =>
  new ImageFields(FIELDS, 'at').imageOf({ name, at: new Date(at) }) as Image;
const ann = image('Ann', 1);
const bob = image('Bob', 2);
const standing = (part: Partial<Standing>): Standing => ({
  rev: 7n,
  row: ann,
  doc: ann,
  accepted: null,
  base: { rev: 7n, hash: ann.hash },
  ...part,
});

describe('decide', () => {
  const priority: ConflictPolicy = { priority: 'postgres' };
  const newest: ConflictPolicy = { priority: 'postgres', newest: 'at' };

  it('leaves a key alone that stands as it stood', () => {
    expect(decide(standing({}), priority)).toEqual({ go: 'nothing' });
    expect(decide(standing({ rev: 0n, row: null, doc: null, base: NO_BASE }), priority)).toEqual({
      go: 'nothing',
    });
  });

  it('distrusts a row older than the base', () => {
    expect(decide(standing({ rev: 6n }), priority)).toEqual({ go: 'stale' });
  });

  it('writes only the fields that differ', () => {
    const renamed = image('Bob', 1);
    expect(decide(standing({ rev: 8n, row: renamed }), priority)).toEqual({
      go: 'toDoc',
      conflict: false,
      differ: [0],
      base: { rev: 8n, hash: renamed.hash },
    });
  });

  it('carries a deletion to the other side, either way', () => {
    expect(decide(standing({ rev: 8n, row: null }), priority)).toMatchObject({
      go: 'toDoc',
      conflict: false,
      base: { rev: 8n, hash: null },
    });
    expect(decide(standing({ doc: null }), priority)).toEqual({
      go: 'toRow',
      conflict: false,
      differ: [0, 1],
      accepted: { first: null, base: 7n, hash: null },
    });
  });

  it('only moves the base where both sides came to the same', () => {
    expect(decide(standing({ rev: 8n, row: bob, doc: bob }), priority)).toMatchObject({
      go: 'toDoc',
      conflict: false,
      differ: [],
    });
  });

  it('notices a row that changed without a revision', () => {
    expect(decide(standing({ row: bob }), priority)).toMatchObject({ go: 'toDoc', conflict: false });
  });

  it('lets the policy pick where both sides changed', () => {
    const both = standing({ rev: 8n, row: bob, doc: image('Cid', 3) });
    expect(decide(both, priority)).toMatchObject({ go: 'toDoc', conflict: true });
    expect(decide(both, { priority: 'mongo' })).toMatchObject({ go: 'toRow', conflict: true });
    expect(decide(both, newest)).toMatchObject({ go: 'toRow', conflict: true });
    const tie = standing({ rev: 8n, row: bob, doc: image('Cid', 2) });
    expect(decide(tie, newest)).toMatchObject({ go: 'toDoc', conflict: true });
    expect(decide(standing({ rev: 8n, row: bob, doc: null }), newest)).toMatchObject({ go: 'toDoc' });
  });

  it('knows its own write to Postgres by `accepted`, and lengthens the chain', () => {
    const accepted = { rev: 8n, first: 8n, base: 7n, hash: bob.hash };
    expect(decide(standing({ rev: 8n, row: bob, doc: bob, accepted }), priority)).toMatchObject({
      go: 'toDoc',
      differ: [],
      base: { rev: 8n },
    });
    const edited = image('Eve', 3);
    expect(decide(standing({ rev: 8n, row: bob, doc: edited, accepted }), priority)).toMatchObject({
      go: 'toRow',
      conflict: false,
      accepted: { first: 8n, base: 7n, hash: edited.hash },
    });
  });

  it('follows a chain of accepted writes on to which a late worker moved the base', () => {
    const accepted = { rev: 9n, first: 8n, base: 7n, hash: bob.hash };
    const late = { rev: 8n, hash: ann.hash };
    const edited = image('Eve', 3);
    expect(decide(standing({ rev: 9n, row: bob, doc: bob, accepted, base: late }), priority)).toMatchObject({
      go: 'toDoc',
      conflict: false,
      base: { rev: 9n },
    });
    expect(decide(standing({ rev: 9n, row: bob, doc: edited, accepted, base: late }), priority)).toEqual({
      go: 'toRow',
      conflict: false,
      differ: [0, 1],
      accepted: { first: 8n, base: 7n, hash: edited.hash },
    });
  });

  it('begins a new chain where the row changed after the accepted write', () => {
    const accepted = { rev: 8n, first: 8n, base: 7n, hash: bob.hash };
    const both = standing({ rev: 9n, row: image('Cid', 3), doc: image('Eve', 4), accepted });
    expect(decide(both, { priority: 'mongo' })).toMatchObject({
      go: 'toRow',
      conflict: true,
      accepted: { first: null, base: 7n },
    });
  });

  it('lets the base of a key go whose ledger row was pruned', () => {
    const pruned = standing({ rev: 0n, row: null, doc: null, base: { rev: 9n, hash: null } });
    expect(decide(pruned, priority)).toEqual({ go: 'dropBase' });
  });
});

describe('decide, after a column was added', () => {
  const wide = (name: string, at: number, level?: number) =>
    new ImageFields([...FIELDS, 'level'], 'at').imageOf({ name, at: new Date(at), level }) as Image;
  const row = wide('Ann', 1, 9);
  const mongo: ConflictPolicy = { priority: 'mongo' };
  const edited = wide('Eve', 3);
  const filled = wide('Eve', 3, 9);

  it('carries its default to a document that has no value for it', () => {
    expect(decide(standing({ row, doc: wide('Ann', 1) }), mongo)).toEqual({
      go: 'toDoc',
      conflict: false,
      differ: [2],
      base: { rev: 7n, hash: row.hash },
    });
  });

  it('takes no default for an edit of the row: the document takes it over, and keeps its own', () => {
    const base = { rev: 7n, hash: row.hash };
    for (const policy of [mongo, { priority: 'postgres' } as const]) {
      const first = decide(standing({ row, doc: edited }), policy);
      expect(first).toEqual({ go: 'toDoc', conflict: false, differ: [2], base });
      expect(decide(standing({ row, doc: filled, base }), policy)).toMatchObject({
        go: 'toRow',
        conflict: false,
        differ: [0, 1],
      });
    }
  });

  it('takes nothing of a row with a value that the document has itself', () => {
    const own = standing({ row, doc: wide('Ann', 1, 5) });
    expect(decide(own, { priority: 'postgres' })).toMatchObject({
      go: 'toRow',
      conflict: false,
      differ: [2],
    });
  });

  it('lets a document that wins a conflict take it over first, and knows of the conflict still', () => {
    const both = { rev: 8n, row: wide('Bob', 2, 9) };
    const base = { rev: 7n, hash: ann.hash };
    expect(decide(standing({ ...both, doc: edited }), mongo)).toEqual({
      go: 'toDoc',
      conflict: false,
      differ: [2],
      base,
    });
    expect(decide(standing({ ...both, doc: filled }), mongo)).toMatchObject({ go: 'toRow', conflict: true });
    expect(decide(standing({ ...both, doc: edited }), { priority: 'postgres' })).toMatchObject({
      go: 'toDoc',
      conflict: true,
      base: { rev: 8n, hash: both.row.hash },
    });
  });

  it('lengthens a chain of accepted writes only when the document has taken it over', () => {
    const accepted = { rev: 8n, first: 8n, base: 7n, hash: bob.hash };
    const taken = { rev: 8n, row: wide('Bob', 2, 9), accepted };
    expect(decide(standing({ ...taken, doc: edited }), mongo)).toMatchObject({
      go: 'toDoc',
      conflict: false,
      differ: [2],
      base: { rev: 7n, hash: ann.hash },
    });
    expect(decide(standing({ ...taken, doc: filled }), mongo)).toMatchObject({
      go: 'toRow',
      conflict: false,
      accepted: { first: 8n, base: 7n, hash: filled.hash },
    });
  });

  it('leaves alone what holds no value on either side, and carries a deletion', () => {
    const neither = { row: wide('Ann', 1), doc: wide('Ann', 1) };
    expect(decide(standing(neither), mongo)).toEqual({ go: 'nothing' });
    expect(decide(standing({ row, doc: null }), mongo)).toMatchObject({ go: 'toRow', conflict: false });
  });

  it('tells nothing by a base of columns that are gone: a document takes over what it lacks, no row loses it', () => {
    const renamed = new ImageFields(['called', 'at']).imageOf({ called: 'Ann', at: new Date(1) }) as Image;
    const base = { rev: 7n, hash: renamed.hash };
    const unnamed = new ImageFields(FIELDS, 'at').imageOf({ at: new Date(1) }) as Image;
    for (const policy of [mongo, { priority: 'postgres' } as const]) {
      const taken = { go: 'toDoc', conflict: false, differ: [0], base: { rev: 7n, hash: ann.hash } };
      expect(decide(standing({ doc: unnamed, base }), policy)).toEqual(taken);
      const edited = new ImageFields(FIELDS, 'at').imageOf({ at: new Date(5) }) as Image;
      expect(decide(standing({ doc: edited, base }), policy)).toEqual(taken);
      expect(decide(standing({ doc: bob, base }), policy)).toMatchObject({ go: 'toRow', conflict: false });
    }
    // A document that may have been edited is not deleted without a word.
    expect(decide(standing({ rev: 8n, row: null, base }), mongo)).toMatchObject({ conflict: true });
  });

  it('lets MongoDB have the last word also of a value that it had before the column came', () => {
    const accepted = { rev: 7n, first: 7n, base: 6n, hash: ann.hash };
    const own = standing({ row, doc: wide('Ann', 1, 5), accepted, base: { rev: 7n, hash: row.hash } });
    expect(decideFor('mongo', own)).toMatchObject({ go: 'toRow', differ: [2] });
  });

  it('keeps it also where MongoDB has the last word', () => {
    const base = { rev: 7n, hash: ann.hash };
    const fill = { go: 'toDoc', conflict: false, differ: [2], base };
    expect(decideFor('mongo', standing({ row, doc: edited }))).toEqual(fill);
    expect(decideFor('mongo', standing({ row, doc: filled }))).toMatchObject({ go: 'toRow', differ: [0, 1] });
  });
});

describe('decideFor, which gives one side the last word', () => {
  it('leaves a key alone that both sides and the base agree on', () => {
    expect(decideFor('postgres', standing({}))).toEqual({ go: 'nothing' });
    expect(decideFor('mongo', standing({}))).toEqual({ go: 'nothing' });
  });

  it('lets that side win whatever changed last, and keeps the loser', () => {
    const onlyRowChanged = standing({ rev: 8n, row: bob });
    expect(decideFor('postgres', onlyRowChanged)).toEqual({
      go: 'toDoc',
      conflict: true,
      differ: [0, 1],
      base: { rev: 8n, hash: bob.hash },
    });
    expect(decideFor('mongo', onlyRowChanged)).toEqual({
      go: 'toRow',
      conflict: true,
      differ: [0, 1],
      accepted: { first: null, base: 7n, hash: ann.hash },
    });
  });

  it('has no loser where the other side was absent', () => {
    expect(decideFor('postgres', standing({ rev: 8n, doc: null }))).toMatchObject({ conflict: false });
    expect(decideFor('mongo', standing({ rev: 8n, row: null }))).toMatchObject({ conflict: false });
  });

  it('trusts a row that is older than the base: it was restored', () => {
    expect(decideFor('postgres', standing({ rev: 3n, row: bob }))).toMatchObject({
      go: 'toDoc',
      base: { rev: 3n },
    });
    expect(decideFor('mongo', standing({ rev: 3n, row: bob }))).toMatchObject({ go: 'toRow' });
  });

  it('moves the base where both sides are equal and it says otherwise', () => {
    expect(decideFor('mongo', standing({ rev: 9n }))).toMatchObject({
      go: 'toDoc',
      conflict: false,
      differ: [],
      base: { rev: 9n, hash: ann.hash },
    });
  });

  it('takes back what Postgres made of the document, rather than write it for ever', () => {
    const accepted = { rev: 8n, first: 8n, base: 7n, hash: ann.hash };
    expect(decideFor('mongo', standing({ rev: 8n, row: bob, accepted }))).toMatchObject({
      go: 'toDoc',
      conflict: false,
      base: { rev: 8n, hash: bob.hash },
    });
  });

  it('lets the base of a key go whose ledger row was pruned', () => {
    const pruned = standing({ rev: 0n, row: null, doc: null, base: { rev: 9n, hash: null } });
    for (const side of ['postgres', 'mongo'] as const)
      expect(decideFor(side, pruned)).toEqual({ go: 'dropBase' });
  });
});
