import type { DynamicModule, Type } from '@nestjs/common';
import type { z } from 'zod';
import { ConfigError } from '../config/config.error.js';
import { type Environment, loadConfig } from '../config/load-config.js';
import type { serviceConfig } from '../config/service.config.js';
import { describeError } from '../logging/describe-error.js';
import { createService, type Service } from './create-service.js';
import { exitOnUnhandledFaults, shutDownOnSignals } from './shutdown.js';

export interface RunOptions {
  /** Name in logs, metrics and the API description, for example `order-service`. */
  name: string;
  /** Shown in the API description. */
  description?: string;
  /** Version of the API, `1.0` unless told otherwise. */
  version?: string;
  /** The service's own root module; it injects the configuration by `CONFIG`. */
  module: Type | DynamicModule;
  /** Schema of the environment: `serviceConfig.extend({ … })`. */
  config: z.ZodObject<typeof serviceConfig.shape>;
  /** Where the configuration is read from; `process.env` unless told otherwise. */
  env?: Environment;
}

/**
 * The whole of a service's `main.ts`: reads the configuration, starts the service, listens, and ends
 * with what is in hand finished on SIGTERM or SIGINT. A service that cannot start says why and exits 1.
 */
export async function runService(options: RunOptions): Promise<void> {
  try {
    const config = loadConfig(options.config, options.env);
    const service = await createService({ ...options, config });
    exitOnUnhandledFaults(service.logger);
    shutDownOnSignals(service, config.SHUTDOWN_TIMEOUT_MS);
    await listen(service, config.HOST, config.PORT);
  } catch (error) {
    const reason = error instanceof ConfigError ? error.message : describeError(error);
    process.stderr.write(`${options.name} cannot start: ${reason}\n`);
    process.exit(1);
  }
}

async function listen({ app, logger }: Service, host: string, port: number): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new Error(`port ${port} on ${host} is in use: stop what listens there or set PORT`, { cause: error })
      : error;
  }
  logger.info({ url: await app.getUrl() }, 'listening');
}
