import type { Step } from '../databases/step.js';
import type { MongoToPostgres } from '../pipelines/pipeline.schema.js';
import { quoteName, quoteTable, tableNameOf } from '../postgres/identifier.js';
import { DELETED_AT } from './deletions.js';

/** A column's path, with its declared type where the pipeline makes the table. */
export function pathOf(declared: MongoToPostgres['columns'][string]): {
  readonly path: string[];
  readonly type?: string;
} {
  if (typeof declared === 'string') return { path: declared.split('.') };
  return { path: declared.path.split('.'), type: declared.type };
}

/**
 * What makes the table of a pipeline with `create: true`, to be told and then run by the owner of the schema; none for
 * a pipeline that finds its table. Columns from `_id`, or from below it, are the primary key.
 * @throws Error that names the column without a type, or says that there is no key
 */
export function targetTable({ to, columns, rest, create, deletes }: MongoToPostgres): Step | null {
  if (!create) return null;
  const table = quoteTable(tableNameOf(to.table));
  const paths = Object.entries(columns).map(([name, declared]) => ({ name, ...pathOf(declared) }));
  const key = paths.filter(({ path }) => path[0] === '_id').map(({ name }) => quoteName(name));
  if (key.length === 0)
    throw new Error(`${to.table} cannot be made: no column has the path _id, or one below it`);
  const definitions = paths.map(({ name, type }) => {
    if (type === undefined) throw new Error(`${to.table} cannot be made: the column ${name} has no type`);
    return `${quoteName(name)} ${type}`;
  });
  if (rest !== undefined) definitions.push(`${quoteName(rest)} jsonb`);
  if (deletes === 'mark') definitions.push(`${quoteName(DELETED_AT)} timestamptz`);
  return {
    what: `table ${table}`,
    sql: `create table if not exists ${table} (${definitions.join(', ')}, primary key (${key.join(', ')}))`,
  };
}
