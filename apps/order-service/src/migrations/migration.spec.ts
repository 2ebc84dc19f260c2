import { describe, expect, test } from 'vitest';
import { type Migration, MigrationError, pendingMigrations, type RecordedMigration } from './migration.js';

const files: Migration[] = ['1_first', '2_second'].map((name) => ({
  name,
  sql: '',
  checksum: `sum of ${name}`,
}));
const recorded = (name: string, overrides: Partial<RecordedMigration> = {}): RecordedMigration => ({
  name,
  checksum: `sum of ${name}`,
  finished: true,
  ...overrides,
});
const names = (migrations: Migration[]) => migrations.map(({ name }) => name);

describe('pending migrations', () => {
  test('are all in order on an empty database, then those that came since, then none', () => {
    expect(names(pendingMigrations(files, []))).toEqual(['1_first', '2_second']);
    expect(names(pendingMigrations(files, [recorded('1_first')]))).toEqual(['2_second']);
    expect(pendingMigrations(files, [recorded('1_first'), recorded('2_second')])).toEqual([]);
  });

  test('do not count one that a newer version applied', () => {
    expect(pendingMigrations(files.slice(0, 1), [recorded('1_first'), recorded('2_second')])).toEqual([]);
  });

  test('are refused when an applied file was changed', () => {
    const changed = () => pendingMigrations(files, [recorded('1_first', { checksum: 'another' })]);
    expect(changed).toThrow(MigrationError);
    expect(changed).toThrow('1_first was changed after it was applied');
  });

  test('are refused when another tool left one half done', () => {
    expect(() => pendingMigrations(files, [recorded('1_first', { finished: false })])).toThrow(
      /1_first .* did not finish/,
    );
  });
});
