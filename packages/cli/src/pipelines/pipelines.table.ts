import type { PipelineView } from '@millrace/testing';

/** A line for each pipeline, and below it why it does not do its work. */
export function pipelinesTable(pipelines: readonly PipelineView[]): string {
  const rows = pipelines.map((pipeline) => ({
    cells: [pipeline.name, pipeline.state, `${pipeline.from} → ${pipeline.to}`, lagOf(pipeline)],
    reasons: pipeline.reasons,
  }));
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  return rows
    .flatMap(({ cells, reasons }) => [
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
      ...reasons.map((reason) => `  ${reason}`),
    ])
    .join('\n');
}

function lagOf({ lag: { records, sourceSeconds, sinkSeconds } }: PipelineView): string {
  const parts = [
    records !== null && `${records} records wait`,
    sourceSeconds !== null && `source ${sourceSeconds.toFixed(1)} s behind`,
    sinkSeconds !== null && `target ${sinkSeconds.toFixed(1)} s behind`,
  ];
  return parts.filter(Boolean).join(', ');
}
