import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { StackError } from '@millrace/stack';
import { openDevStack } from './project-stack.js';

export const logsCommand = () =>
  new Command('logs')
    .description("show the end of a process's log, or name all logs")
    .argument('[name]', 'a process of the stack, as in stack status')
    .option('-n, --lines <count>', 'how many lines', parseCount, 100)
    .option('-f, --follow', 'go on with what is written')
    .action(async (name, { lines, follow = false }) => {
      const logs = await openDevStack().logs();
      if (name === undefined) return console.log(nameAll(logs));
      const log = logs[name];
      if (!log) throw new StackError('UNKNOWN_NAME', `There is no log "${name}".\n${nameAll(logs)}`);
      await show(log, lines, follow);
    });

const nameAll = (logs: Readonly<Record<string, string>>): string => {
  const names = Object.keys(logs);
  if (names.length === 0) return 'There are no logs yet. Start the stack with: npx pnpm stack up';
  return `Logs: ${names.join(', ')}`;
};

const show = async (log: string, lines: number, follow: boolean): Promise<void> => {
  const tail = spawn('tail', ['-n', String(lines), ...(follow ? ['-F'] : []), log], { stdio: 'inherit' });
  await once(tail, 'exit');
};

const parseCount = (value: string): number => {
  if (/^\d+$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a number.');
};
