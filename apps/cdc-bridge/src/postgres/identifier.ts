/** A table by its schema and name, unquoted. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** Of `schema.table`; the table's name may have dots of its own. */
export function tableNameOf(name: string): TableName {
  const dot = name.indexOf('.');
  return { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}

/** `schema.table`, as pipelines name it: undoes `tableNameOf`. */
export function shown({ schema, table }: TableName): string {
  return `${schema}.${table}`;
}

/** An SQL identifier that stands for precisely this name, whatever characters it has. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}
