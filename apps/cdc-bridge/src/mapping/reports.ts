import { stoppingValues } from '../changes/debezium-stops.js';
import { isTold } from '../changes/debezium-values.js';
import type { Column } from '../postgres/table-columns.js';
import { baseType, type Fidelity, leaf, loss, type PostgresType } from '../values/postgres-type.js';

/** What the values of a table's columns may lose on their way into MongoDB, and in a pair back. */
export function lossesOf(table: string, columns: readonly Column[], fidelity: Fidelity = 'exact'): string[] {
  return sentences(table, columns, (type) => loss(type, fidelity));
}

/** What documents may lose on their way into a table's columns. */
export function lossesInto(table: string, columns: readonly Column[]): string[] {
  const inGeneral = `${table}: NULL stands for null and for a field that is missing`;
  return [inGeneral, ...sentences(table, columns, lossInto)];
}

/** One for each column that has something to tell. */
function sentences(
  table: string,
  columns: readonly Column[],
  lossOf: (type: PostgresType) => string | null,
): string[] {
  return columns.flatMap(({ name, type }) => {
    const told = lossOf(type);
    return told ? [`${table}.${name}: ${told}`] : [];
  });
}

function lossInto(type: PostgresType): string | null {
  switch (leaf(type).name) {
    case 'json':
      return 'a number keeps its value, not its kind';
    case 'jsonb':
      return 'a number keeps its value, not its kind; the order of fields is lost';
    case 'hstore':
      return 'the order of fields is lost';
    case 'bpchar':
      return loss(type, 'exact');
    default:
      return null;
  }
}

/**
 * What Debezium does not tell of a source's columns, and what that costs.
 * @param delay the pipeline's, in milliseconds
 */
export function doubtsOf(table: string, columns: readonly Column[], delay: number | undefined): string[] {
  const whenDue = delay ? '; as it is there once the change is due' : '';
  return columns.flatMap(({ name, type }): string[] => {
    const where = `${table}.${name}`;
    if (!isTold(type))
      return [
        `${where}: read again at the source at every change, which does not tell ${type.name}${whenDue}`,
      ];
    return baseType(type).kind === 'array'
      ? [`${where}: a lower bound other than 1 is lost in a change`]
      : [];
  });
}

/** What stops the connector of a table's database. @param columns also those that are dropped: all are captured */
export function stopsOf(table: string, columns: readonly Column[]): string[] {
  return columns.flatMap((column) =>
    stoppingValues(column).map(
      (value) => `${table}.${column.name}: ${value} stops the connector of its database`,
    ),
  );
}
