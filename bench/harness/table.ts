import type { Comparison } from './compare.ts';

export interface Row {
  readonly what: string;
  readonly baseline: string;
  /** The least ratio that is good enough. */
  readonly atLeast: number;
  readonly comparison: Comparison;
}

/** A ratio that is asked for and was not reached. */
export function missed(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => !(row.comparison.ratio.median >= row.atLeast));
}

/** The rows as a table of plain text, one line each. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ['measured', 'against', 'ratio', 'p10 to p90', 'wanted', 'per second', 'baseline', ''],
    ...rows.map(({ what, baseline, atLeast, comparison: { ratio, rate, baselineRate } }) => [
      what,
      baseline,
      times(ratio.median),
      `${times(ratio.low)} to ${times(ratio.high)}`,
      `>= ${atLeast}`,
      perSecond(rate),
      perSecond(baselineRate),
      ratio.median >= atLeast ? 'ok' : 'MISSED',
    ]),
  ];
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function times(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2);
}

function perSecond(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
