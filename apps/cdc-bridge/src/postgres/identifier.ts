/** A table by its schema and name, unquoted. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** An SQL identifier that stands for precisely this name, whatever characters it has. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable({ schema, table }: TableName): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}
