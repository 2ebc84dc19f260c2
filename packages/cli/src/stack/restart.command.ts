import { Command } from '@commander-js/extra-typings';
import { openDevStack } from './project-stack.js';

export const restartCommand = () =>
  new Command('restart')
    .description('stop one process and start it again, as after a change of its code')
    .argument('<name>', 'a process of the stack, as in stack status')
    .action(async (name) => {
      const stack = openDevStack();
      await stack.stop(name);
      await stack.start(name);
      console.log(`${name} runs again.`);
    });
