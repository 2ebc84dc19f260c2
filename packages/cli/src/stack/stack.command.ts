import { Command } from '@commander-js/extra-typings';
import { downCommand } from './down.command.js';
import { logsCommand } from './logs.command.js';
import { restartCommand } from './restart.command.js';
import { statusCommand } from './status.command.js';
import { upCommand } from './up.command.js';

export const stackCommand = () =>
  new Command('stack')
    .description(
      'the native stack: Kafka, Connect, registry, Postgres, MongoDB and the services, as processes',
    )
    .addCommand(upCommand())
    .addCommand(statusCommand())
    .addCommand(logsCommand())
    .addCommand(restartCommand())
    .addCommand(downCommand());
