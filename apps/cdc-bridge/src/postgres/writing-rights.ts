import type { ClientBase } from 'pg';
import type { NeededRights } from './granted-rights.js';
import { quoteName, quoteTable, type TableName } from './identifier.js';
import { SEQUENCE_RIGHTS, sequencesOf } from './key-sequence.js';
import { hasTable, keyColumns, readColumns } from './table-columns.js';

/** Of a role that reads and writes a table. */
export const TABLE_RIGHTS = ['select', 'insert', 'update', 'delete'];

/**
 * What a role needs to read and write a table, and to move the sequences of its key past keys from elsewhere. Those of
 * a table that is yet to be made are not known.
 */
export async function writingRights(
  owner: ClientBase,
  table: TableName,
  whose: Pick<NeededRights, 'role' | 'holder'>,
): Promise<NeededRights[]> {
  const isThere = await hasTable(owner, table);
  const columns = isThere ? keyColumns(await readColumns(owner, table)) : [];
  const sequences = isThere ? await sequencesOf(owner, table, { columns }) : [];
  return [
    { ...whose, kind: 'schema', name: quoteName(table.schema), rights: ['usage'] },
    { ...whose, kind: 'table', name: quoteTable(table), rights: TABLE_RIGHTS },
    ...sequences.map(({ name }) => ({ ...whose, kind: 'sequence' as const, name, rights: SEQUENCE_RIGHTS })),
  ];
}
