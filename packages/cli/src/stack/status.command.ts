import { Command } from '@commander-js/extra-typings';
import type { PartStatus } from '@millrace/stack';
import { openDevStack } from './project-stack.js';

export const statusCommand = () =>
  new Command('status')
    .description('show every process, whether it works, and where it listens')
    .action(async () => {
      const parts = await openDevStack().status();
      console.log(statusTable(parts));
    });

/** One line for each part, and one for the whole. */
export const statusTable = (parts: readonly PartStatus[]): string => {
  const running = parts.filter(({ pid }) => pid !== undefined);
  if (running.length === 0) return 'The stack is down. Start it with: npx pnpm stack up';
  const rows = parts.map((part) => [
    part.name,
    stateOf(part),
    part.pid === undefined ? '' : `pid ${part.pid}`,
    part.pid === undefined ? '' : megabytes(part.residentBytes),
    part.address,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const total = running.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  const faults = parts
    .filter(({ fault }) => fault)
    .map(({ name, fault, log }) => `${name}: ${fault}\n  log: ${log}`);
  return [...lines, `${running.length} of ${parts.length} run, ${megabytes(total)} resident`, ...faults].join(
    '\n',
  );
};

const stateOf = ({ pid, fault }: PartStatus): string => {
  if (pid === undefined) return 'stopped';
  return fault ? 'not working' : 'works';
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`;
