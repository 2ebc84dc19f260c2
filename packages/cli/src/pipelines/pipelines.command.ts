import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { Answer, BridgeClient, VerifyView } from '@millrace/testing';
import { askBridge } from './ask-bridge.js';
import { PipelinesError } from './pipelines.error.js';
import { pipelinesTable } from './pipelines.table.js';
import { prepareCommands } from './prepare.command.js';

const pipeline = () => new Argument('<pipeline>', 'its name in pipelines.yaml');
const url = () => new Option('--url <url>', 'cdc-bridge; without it, that of this checkout’s stack');

/** The bridge's HTTP API from a terminal. */
export const pipelinesCommand = () => {
  const command = new Command('pipelines')
    .description('what cdc-bridge carries between Postgres and MongoDB')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(told('show', 'show one pipeline, all of it', (bridge, name) => bridge.pipeline(name)))
    .addCommand(told('pause', 'let it rest, on every instance', (bridge, name) => bridge.pause(name)))
    .addCommand(told('resume', 'let it go on', (bridge, name) => bridge.resume(name)))
    .addCommand(
      told('resnapshot', 'read every row of the source again', (bridge, name) => bridge.resnapshot(name)),
    )
    .addCommand(verifyCommand())
    .addCommand(repairCommand())
    .addCommand(
      told('replay', 'write the rows of its dead letters as the source has them', (bridge, name) =>
        bridge.replay(name),
      ),
    )
    .addCommand(conflictsCommand())
    .addCommand(restoreCommand());
  for (const prepare of prepareCommands()) command.addCommand(prepare as unknown as Command);
  return command;
};

const listCommand = () =>
  new Command('list')
    .description('how every pipeline stands')
    .addOption(url())
    .action(async (options) => {
      const { items } = await askBridge(options.url, (bridge) => bridge.pipelines());
      console.log(items.length === 0 ? 'pipelines.yaml has no pipeline.' : pipelinesTable(items));
    });

/** A command that takes a pipeline and prints what the bridge answers. */
const told = (
  verb: string,
  description: string,
  ask: (bridge: BridgeClient, name: string) => Promise<Answer<unknown>>,
) =>
  new Command(verb)
    .description(description)
    .addArgument(pipeline())
    .addOption(url())
    .action(async (name, options) => print(await askBridge(options.url, (bridge) => ask(bridge, name))));

const verifyCommand = () =>
  new Command('verify')
    .description('compare every row of both sides; fails where they differ')
    .addArgument(pipeline())
    .addOption(url())
    .action(async (name, options) => {
      const report = await askBridge(options.url, (bridge) => bridge.verify(name));
      print(report);
      if (differ(report) > 0) throw new PipelinesError(`${name}: ${differ(report)} rows differ.`);
      if (report.unsettled)
        throw new PipelinesError(
          `${name}: nothing is known of ${report.unsettled} rows, which change all the time.`,
        );
      if (report.compared === 0) throw new PipelinesError(`${name}: nothing was compared.`);
    });

const differ = ({ missing, extra, different }: VerifyView): number => missing + extra + different;

const repairCommand = () =>
  new Command('repair')
    .description('write what differs as the source has it')
    .addArgument(pipeline())
    .addOption(
      new Option(
        '--from <side>',
        'of a pair: the side that wins, for a database restored from a copy',
      ).choices(['postgres', 'mongo']),
    )
    .addOption(url())
    .action(async (name, { from, ...options }) =>
      print(await askBridge(options.url, (bridge) => bridge.repair(name, from))),
    );

const conflictsCommand = () =>
  new Command('conflicts')
    .description('what a pair has overwritten because both sides had changed, the newest first')
    .addArgument(pipeline())
    .option('--before <id>', 'the page after this one: its nextBefore')
    .addOption(url())
    .action(async (name, { before, ...options }) =>
      print(await askBridge(options.url, (bridge) => bridge.conflicts(name, before))),
    );

const restoreCommand = () =>
  new Command('restore')
    .description('put the loser of a conflict back, as an edit of its side')
    .addArgument(pipeline())
    .argument('<conflict>', 'its id')
    .addOption(url())
    .action(async (name, conflict, options) =>
      print(await askBridge(options.url, (bridge) => bridge.restore(name, conflict))),
    );

const print = (answer: unknown): void => console.log(JSON.stringify(answer, undefined, 2));
