import type { Column } from '../postgres/table-columns.js';

/** Where a pipeline names columns. */
export interface NamedColumns {
  readonly rename: object;
  readonly drop: readonly string[];
  readonly where?: object;
}

/** @throws Error that names every column which is not there, where it is named, and those that are */
export function refuseUnknown(
  table: string,
  columns: readonly Column[],
  { rename, drop, where = {} }: NamedColumns,
): void {
  const named = { rename: Object.keys(rename), drop, where: Object.keys(where) };
  const known = new Set(columns.map(({ name }) => name));
  const faults = Object.entries(named).flatMap(([entry, names]) =>
    names.filter((name) => !known.has(name)).map((name) => `no column ${name}, which ${entry} names`),
  );
  if (faults.length > 0)
    throw new Error(`the table ${table} has ${faults.join(', and ')}; it has ${[...known].join(', ')}`);
}
