import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { TableCatalogue } from '../changes/table-catalogue.js';
import { type RowTexts, rowOfKey, type TableMapping } from '../mapping/table.mapping.js';
import type { Key, Put } from '../sinks/compaction.js';
import { toPostgres } from '../values/bson-to-postgres.js';
import { unlessFault, ValueFault } from '../values/value.fault.js';
import { PostgresTable } from './postgres.table.js';
import type { OnUnmapped, SourceRows } from './rows.js';

/** The rows of a table as the documents that they should be. */
export class PostgresSourceRows implements SourceRows {
  constructor(
    private readonly pool: Pool,
    private readonly catalogue: TableCatalogue,
  ) {}

  async *all(signal: AbortSignal, onUnmapped?: OnUnmapped): AsyncGenerator<readonly Put[]> {
    const { mapping, table } = await this.#open();
    for await (const rows of table.all(signal)) yield flowing(mapping, rows, onUnmapped);
  }

  async read(keys: readonly Key[]): Promise<readonly Put[]> {
    const { mapping, table } = await this.#open();
    if (mapping.isKeyless) return readKeyless(mapping, table, keys);
    const texts = keys.flatMap(({ fields }) => {
      const parts = partsOf(mapping, fields._id ?? null);
      return parts ? [parts] : [];
    });
    return flowing(mapping, await table.read(texts));
  }

  /** The catalogue is asked each time: a column may have come since the last change was read. */
  async #open(): Promise<{ mapping: TableMapping; table: PostgresTable }> {
    await this.catalogue.readAgain();
    const { mapping } = this.catalogue;
    return {
      mapping,
      table: new PostgresTable(this.pool, this.catalogue.table, mapping.columns, mapping.key),
    };
  }
}

/** None for a row that the filter holds back, nor for one whose key can be no `_id`. */
function flowing(mapping: TableMapping, rows: readonly RowTexts[], onUnmapped: OnUnmapped = () => {}): Put[] {
  const through = rows.filter((texts) => mapping.matches(texts) !== false);
  if (mapping.isKeyless) return through.map((texts) => keylessPut(mapping, texts));
  return through.flatMap((texts) => {
    try {
      return [mapping.put(texts, true)];
    } catch (error) {
      if (!(error instanceof ValueFault)) throw error;
      onUnmapped(JSON.stringify(mapping.key.map(({ name }) => texts.get(name) ?? null)), error);
      return [];
    }
  });
}

/** The texts of a key's columns; null where no row can have this `_id`. */
function partsOf(mapping: TableMapping, id: Key['fields'][string]): (string | null)[] | null {
  const parts = unlessFault(() =>
    mapping.partsOf(id)?.map((part, i) => toPostgres(mapping.key[i]?.type as never, part, 'exact')),
  );
  return parts ?? null;
}

function keylessPut(mapping: TableMapping, texts: RowTexts): Put {
  const at = `read ${randomUUID()}`;
  try {
    return mapping.keylessPut(texts, at);
  } catch (fault) {
    if (!(fault instanceof ValueFault)) throw fault;
    const key = { text: `unreadable ${at}`, fields: { _id: { row: 'unreadable', at } } };
    const omitted = mapping.fields.map(({ name }) => name);
    return { kind: 'put', key, fields: key.fields, omitted, isNew: true, fault };
  }
}

/** Without a key there is no other way than through all rows. */
async function readKeyless(
  mapping: TableMapping,
  table: PostgresTable,
  keys: readonly Key[],
): Promise<Put[]> {
  const wanted = new Set(keys.map(rowOfKey));
  const found: Put[] = [];
  for await (const rows of table.all(new AbortController().signal)) {
    found.push(...flowing(mapping, rows).filter(({ key }) => wanted.has(rowOfKey(key))));
  }
  return found;
}
