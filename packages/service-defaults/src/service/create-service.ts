import 'reflect-metadata';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DestinationStream, Logger } from 'pino';
import { Registry } from 'prom-client';
import type { ServiceConfig } from '../config/service.config.js';
import { fastifyAdapter } from '../http/fastify-server.js';
import { InFlightRequests } from '../http/in-flight-requests.js';
import { serveOpenApi } from '../http/open-api.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { ValidationPipe } from '../http/validation.pipe.js';
import { createLogger } from '../logging/logger.js';
import { NestLogger } from '../logging/nest-logger.js';
import { logRequests } from '../logging/request-log.hook.js';
import { measureRequests } from '../metrics/http-metrics.hook.js';
import { traceRequests } from '../tracing/trace.hook.js';
import { startTracing } from '../tracing/tracing.js';
import { serviceDefaults } from './service-defaults.module.js';

export interface ServiceOptions<Config extends ServiceConfig = ServiceConfig> {
  /** Name in logs, metrics and the API description, for example `order-service`. */
  name: string;
  /** Shown in the API description. */
  description?: string;
  /** Version of the API, `1.0` unless told otherwise. */
  version?: string;
  /** The service's own root module. */
  module: Type | DynamicModule;
  /** The validated configuration; modules inject it by `CONFIG`. */
  config: Config;
  /** Where log lines go; standard output unless told otherwise. */
  logStream?: DestinationStream;
}

/** A service that is wired but does not listen yet. Whoever creates it closes `app`. */
export interface Service {
  app: NestFastifyApplication;
  logger: Logger;
  requests: InFlightRequests;
}

/**
 * Builds a NestJS application on Fastify with logs, tracing, metrics, health, validation, problem
 * answers and API description, initialised and ready to `listen` or `inject`.
 */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { name, config, module, logStream } = options;
  startTracing();
  const logger = createLogger({
    service: name,
    level: config.LOG_LEVEL,
    ...(logStream && { stream: logStream }),
  });
  const problems = new ProblemFilter(logger);
  const adapter = fastifyAdapter(config, problems);
  const server = adapter.getInstance();
  // Bodies are JSON: plain text is answered with 415 like any other type.
  server.removeContentTypeParser('text/plain');

  traceRequests(server);
  const requests = new InFlightRequests(server);
  logRequests(server, logger);

  const root = { module: class Root {}, imports: [serviceDefaults(config), module] };
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  measureRequests(server, app.get(Registry));
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(problems);
  serveOpenApi(app, options);
  await app.init();
  await server.ready();
  return { app, logger, requests };
}
