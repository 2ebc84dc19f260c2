import type { Column } from '../../postgres/table-columns.js';

/** A column as Postgres' catalogue would have it. */
export const column = (
  name: string,
  type: string,
  keyPosition: number | null = null,
  generated = false,
): Column => ({
  name,
  type: { name: type, kind: 'base' },
  sqlType: type,
  castType: type,
  nullable: keyPosition === null,
  inEveryChange: false,
  generated,
  keyPosition,
});
