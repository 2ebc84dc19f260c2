import { expect, it } from 'vitest';
import type { CatalogTable, Catalogue } from './postgres.catalogue.js';
import { tableFaults } from './postgres.faults.js';

const table: CatalogTable = {
  name: { schema: 'public', table: 'log' },
  kind: 'r',
  isLogged: true,
  owner: 'owner',
  isOurs: true,
  hasKey: false,
  identity: 'f',
  hasVirtualColumns: false,
  hasStoredColumns: true,
  hiddenFrom: [],
  ancestors: [],
  unfitPartitions: [],
  heirs: [],
};
const catalogue = (version: number): Catalogue => ({
  version,
  hasOwnTables: true,
  tables: [table],
  missing: [],
  publication: undefined,
  records: [],
});

it('refuses a table without a key whose generated columns its Postgres does not publish', () => {
  expect(tableFaults(table, catalogue(170_000), true)).toEqual([
    expect.stringContaining('has generated columns, which Postgres publishes from 18 on'),
  ]);
  expect(tableFaults(table, catalogue(180_000), true)).toEqual([]);
  expect(tableFaults({ ...table, hasKey: true }, catalogue(170_000), false)).toEqual([]);
});
