import type { Route } from '../mapping/route.js';
import type { TargetRow } from '../rows/rows.js';
import type { Key, Put } from '../sinks/compaction.js';
import type { ComparedSide } from './compared-side.js';
import { imageOfRow, type RowImage } from './row-image.js';

export type ComparedRoute = Pick<Route, 'source' | 'target' | 'keyless' | 'gone' | 'mayBeGone' | 'pipeline'>;

/** The source, as the target should hold it. */
export function sourceSide(route: ComparedRoute): ComparedSide {
  const imagesOf = (puts: readonly Put[]) => puts.map((put) => sourceImage(route, put));
  return {
    async *all(signal, onUnmapped) {
      for await (const puts of route.source.all(signal, onUnmapped)) yield imagesOf(puts);
    },
    read: async (keys) => imagesOf(await route.source.read(keys)),
  };
}

export function sourceImage(route: ComparedRoute, { key, fields }: Put): RowImage {
  return imageOfRow(key, fields, markOf(route, key));
}

/** The target, without the rows that are marked as deleted. */
export function targetSide(route: ComparedRoute): ComparedSide {
  const { target, pipeline } = route;
  const imagesOf = (rows: readonly TargetRow[]) =>
    rows
      .filter(({ fields }) => pipeline.deletes !== 'mark' || !route.mayBeGone(fields))
      .map(({ key, fields }) => imageOfRow(key, fields, markOf(route, key)));
  return {
    async *all(signal) {
      for await (const rows of target.all(signal)) yield imagesOf(rows);
    },
    read: async (keys) => imagesOf(await target.read(keys)),
  };
}

/** The field that marks a deleted row, which says nothing of a row that is there. */
function markOf(route: ComparedRoute, key: Key): string | undefined {
  if (route.pipeline.deletes !== 'mark') return undefined;
  const change = route.gone(key, new Date(0));
  if (change?.kind !== 'put') return undefined;
  return Object.keys(change.fields).find((name) => !Object.hasOwn(key.fields, name));
}
