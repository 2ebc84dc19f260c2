import { Command } from '@commander-js/extra-typings';
import { plainView } from './progress-view.js';
import { openDevStack } from './project-stack.js';

export const downCommand = () =>
  new Command('down')
    .description('stop the stack; its data stays')
    .option('--volumes', 'remove the data too')
    .action(async ({ volumes = false }) => {
      const stack = openDevStack({ onProgress: plainView().onProgress });
      const { stopped } = await stack.down({ volumes });
      console.log(stopped.length === 0 ? 'Nothing was running.' : 'The stack is down.');
      if (volumes) console.log('Its data is removed.');
    });
