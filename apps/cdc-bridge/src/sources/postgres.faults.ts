import { shown } from '../postgres/identifier.js';
import { type CatalogTable, type Catalogue, isSameTable } from './postgres.catalogue.js';
import { PUBLISHES_GENERATED } from './postgres.publication.js';

const FAILS = 'its owner’s UPDATE and DELETE would fail';

/** Why a table cannot be captured as it is, and what to do about it, each to stand behind its name. */
export function tableFaults(table: CatalogTable, catalogue: Catalogue, appendOnly: boolean): string[] {
  if (!['r', 'p'].includes(table.kind)) return ['is not a table: views and foreign tables have no changes'];
  return [
    ...(table.isLogged ? [] : ['is unlogged or temporary: its changes are in no log']),
    ...(table.isOurs
      ? []
      : [`belongs to ${table.owner}: the owner's URL must be of a role that may alter it`]),
    ...identityFaults(table, appendOnly),
    ...generatedFaults(table, catalogue.version),
    ...(table.hiddenFrom.length === 0
      ? []
      : [`has row security, which hides rows from ${table.hiddenFrom.join(' and ')}: give BYPASSRLS`]),
    ...inheritanceFaults(table, catalogue),
  ];
}

function identityFaults({ kind, hasKey, identity }: CatalogTable, appendOnly: boolean): string[] {
  if (!hasKey && kind === 'p')
    return [
      `is partitioned and has no primary key: give it one; in a partition that is made later, ${FAILS}`,
    ];
  if (!hasKey && identity !== 'f' && !appendOnly)
    return [
      `has no primary key: set REPLICA IDENTITY FULL, or declare the pipeline appendOnly; else ${FAILS}`,
    ];
  return ['d', 'f'].includes(identity)
    ? []
    : ['has a REPLICA IDENTITY other than its primary key: set it to DEFAULT or FULL'];
}

/** A row without a key is told by all its columns, and what is not published is not told. */
function generatedFaults(
  { hasKey, identity, hasVirtualColumns, hasStoredColumns }: CatalogTable,
  version: number,
): string[] {
  if (hasVirtualColumns && (identity === 'f' || !hasKey))
    return [`has virtual generated columns and REPLICA IDENTITY FULL: ${FAILS}`];
  return hasStoredColumns && !hasKey && version < PUBLISHES_GENERATED
    ? ['has generated columns, which Postgres publishes from 18 on, and no primary key: give it one']
    : [];
}

function inheritanceFaults(
  { heirs, unfitPartitions, ancestors }: CatalogTable,
  catalogue: Catalogue,
): string[] {
  const root = ancestors.find((name) => catalogue.tables.some((table) => isSameTable(table.name, name)));
  return [
    ...(heirs.length === 0
      ? []
      : [
          `is inherited by ${heirs.join(', ')}, whose rows it shows and whose changes it does not: take those`,
        ]),
    ...(unfitPartitions.length === 0
      ? []
      : [
          `has the partitions ${unfitPartitions.join(', ')}: none may be foreign or unlogged, or have a REPLICA IDENTITY other than DEFAULT or FULL`,
        ]),
    ...(root ? [`is a partition of ${shown(root)}, whose changes have its own: take one of them out`] : []),
  ];
}
