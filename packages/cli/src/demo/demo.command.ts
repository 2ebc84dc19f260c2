import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { reasonOf, type UpResult } from '@millrace/stack';
import { bringUp } from '../stack/bring-up.js';
import { Interrupt } from '../stack/interrupt.js';
import { plainView } from '../stack/progress-view.js';
import { openDevStack } from '../stack/project-stack.js';
import { addresses } from '../stack/up.command.js';
import { DemoError } from './demo.error.js';
import { tellDemo } from './demo.js';
import { Story } from './story.js';

export const demoCommand = () =>
  new Command('demo')
    .description('run the whole system on the real stack, and show what happens')
    .option('--keep', 'leave the stack running, and print every address')
    .option('--orders <count>', 'how many orders to place after the first', positive, 1_000)
    .option('--seed <number>', 'draws other orders', positive, 1)
    .action(async ({ keep = false, orders, seed }) => {
      using interrupt = new Interrupt();
      const result = await bringUp(openDevStack);
      const ours = wasDown(result);
      if (!ours) console.log(`  ${whatWasFound(result)}`);
      try {
        await interrupt.over(tell(result, orders, seed));
      } catch (error) {
        throw interrupt.signal.aborted ? error : new DemoError(withLogs(error, result), { cause: error });
      } finally {
        if (keep || !ours) console.log(`\n${addresses(result.endpoints, false)}`);
        else await stop();
      }
    });

const tell = async ({ endpoints }: UpResult, orders: number, seed: number): Promise<void> => {
  const run = `DEMO${randomBytes(3).toString('hex').toUpperCase()}`;
  const findings = await tellDemo(endpoints, openDevStack(), new Story(), { run, orders, seed });
  const wrong = findings.filter(({ faults }) => faults.length > 0);
  if (wrong.length > 0) throw new Error(`${wrong.length} of ${findings.length} claims do not hold`);
  console.log(`\n   All ${findings.length} claims hold.`);
};

const wasDown = ({ started, endpoints }: UpResult) =>
  started.length === Object.keys(endpoints.processes).length;

const whatWasFound = ({ started }: UpResult) =>
  started.length === 0
    ? 'The stack of this checkout is used, and left as it is.'
    : `The stack of this checkout was up in part: ${started.join(', ')} started. It is left up.`;

const stop = async () => {
  console.log('\n   Stopping what was started. Next time: --keep leaves it running.');
  await openDevStack({ onProgress: plainView().onProgress }).down();
};

/** The failure and its cause, and the logs of all that an order or a change passes through. */
const withLogs = (error: unknown, { endpoints }: UpResult) => {
  const cause = error instanceof Error && error.cause ? ` (${reasonOf(error.cause)})` : '';
  const logs = Object.entries(endpoints.processes).filter(([name]) => /service|connect|bridge/.test(name));
  return [
    `\nThe demo failed: ${reasonOf(error)}${cause}.`,
    'Logs to read:',
    ...logs.map(([name, { log }]) => `  ${name.padEnd(20)} ${log}`),
  ].join('\n');
};

function positive(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999.');
}
