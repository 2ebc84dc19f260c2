import { expect, it } from 'vitest';
import { prepareCommands } from './prepare.command.js';

it.each([
  [['plan'], ['plan']],
  [['apply'], ['apply']],
  [
    ['remove', 'orders'],
    ['remove', 'orders'],
  ],
  [
    ['remove', 'orders', '--drop-slot'],
    ['remove', 'orders', '--drop-slot'],
  ],
  [
    ['drop-slot', 'orders'],
    ['drop-slot', 'orders'],
  ],
])('%j asks the deploy step for %j', async ([name, ...args], asked) => {
  const started: string[][] = [];
  const command = prepareCommands(async (...all) => void started.push(all)).find(
    (each) => each.name() === name,
  );
  await command?.parseAsync(args, { from: 'user' });
  expect(started).toEqual([asked]);
});
