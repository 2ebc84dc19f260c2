import { Command } from '@commander-js/extra-typings';
import { demoCommand } from './demo/demo.command.js';
import { deployCommand } from './deploy/deploy.command.js';
import { pipelinesCommand } from './pipelines/pipelines.command.js';
import { reportFault } from './report-fault.js';
import { stackCommand } from './stack/stack.command.js';

// Whoever read our output may be gone after Ctrl-C; what was begun is tidied up all the same.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

await new Command('millrace')
  .description('Runs this project on your machine.')
  .addCommand(demoCommand())
  .addCommand(stackCommand())
  .addCommand(deployCommand())
  .addCommand(pipelinesCommand())
  .parseAsync()
  .catch(reportFault);
