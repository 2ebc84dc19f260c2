import type { Step } from '../databases/step.js';
import { OWN_SCHEMA, SIGNALS_TABLE, WATERMARKS_TABLE } from '../names/bridge-names.js';
import { quoteName, quoteTable, shown, type TableName } from '../postgres/identifier.js';
import { type Catalogue, isSameTable } from './postgres.catalogue.js';

/** The first version that can publish stored generated columns, and whose REPLICA IDENTITY FULL demands it. */
export const PUBLISHES_GENERATED = 180_000;

/**
 * Makes the publication, or adds and drops tables. While its slot is there it is never dropped itself: the log
 * before a new one of the same name could not be decoded any more.
 */
export function publicationSteps(
  name: string,
  { version, publication }: Pick<Catalogue, 'version' | 'publication'>,
  captured: readonly TableName[],
): Step[] {
  const wanted = [
    ...captured,
    ...[WATERMARKS_TABLE, SIGNALS_TABLE].map((table) => ({ schema: OWN_SCHEMA, table })),
  ];
  const quoted = quoteName(name);
  if (!publication) return [created(quoted, version, wanted)];
  const lacks = (tables: readonly TableName[]) => (table: TableName) =>
    !tables.some((other) => isSameTable(other, table));
  return [
    ...change('with', `alter publication ${quoted} add table`, wanted.filter(lacks(publication)), quoted),
    ...change('without', `alter publication ${quoted} drop table`, publication.filter(lacks(wanted)), quoted),
  ];
}

function change(how: string, statement: string, tables: readonly TableName[], quoted: string): Step[] {
  return tables.map((table) => ({
    what: `publication ${quoted} ${how} ${shown(table)}`,
    sql: `${statement} ${quoteTable(table)}`,
  }));
}

function created(quoted: string, version: number, tables: readonly TableName[]): Step {
  const names = tables.map(shown).join(', ');
  const options = [
    // A partitioned table's changes come under its own name, and not its partitions'.
    'publish_via_partition_root = true',
    ...(version >= PUBLISHES_GENERATED ? ['publish_generated_columns = stored'] : []),
  ];
  return {
    what: `publication ${quoted} of ${names}`,
    sql: `create publication ${quoted} for table ${tables.map(quoteTable).join(', ')} with (${options.join(', ')})`,
  };
}
