import { Logger } from '@nestjs/common';
import type { Log } from '../log.js';

/** This package's log through Nest's logger, and so through the one that the application was given. */
export function nestLog(context: string): Log {
  const logger = new Logger(context);
  return {
    debug: (message, fields) => logger.debug({ msg: message, ...fields }),
    info: (message, fields) => logger.log({ msg: message, ...fields }),
    warn: (message, fields) => logger.warn({ msg: message, ...fields }),
    error: (message, fields) => logger.error({ msg: message, ...fields }),
  };
}
