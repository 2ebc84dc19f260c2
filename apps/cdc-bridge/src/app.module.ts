import type { Log } from '@millrace/messaging';
import { CONFIG, Readiness } from '@millrace/service-defaults';
import { Logger, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Registry } from 'prom-client';
import { measurePipelines } from './api/bridge.metrics.js';
import { PipelinesController } from './api/pipelines.controller.js';
import { type BridgeConfig, databasesOf } from './config.js';
import { Bridge } from './runner/bridge.js';
import { loadPipelines } from './runner/load-pipelines.js';

@Module({
  controllers: [PipelinesController],
  providers: [{ provide: Bridge, inject: [CONFIG], useFactory: openBridge }],
})
export class AppModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly bridge: Bridge,
    readiness: Readiness,
    registry: Registry,
  ) {
    readiness.register('pipelines', async () => this.bridge.reasons());
    readiness.registerNotes('pipelines', () => this.bridge.notes());
    measurePipelines(bridge, registry);
  }

  onApplicationBootstrap(): void {
    this.bridge.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bridge.close();
  }
}

async function openBridge(config: BridgeConfig): Promise<Bridge> {
  const log = bridgeLog();
  const databases = databasesOf(config);
  const { pipelines } = await loadPipelines(config.PIPELINES_FILE, databases, log);
  return new Bridge({
    pipelines,
    databases,
    brokers: config.KAFKA_BROKERS,
    registryUrl: config.SCHEMA_REGISTRY_URL,
    connectUrl: config.CONNECT_URL,
    log,
    // Requests may take three quarters of the time to shut down; the databases' connections close after this.
    limits: { closeWithinMs: config.SHUTDOWN_TIMEOUT_MS / 5 },
  });
}

function bridgeLog(): Log {
  const logger = new Logger('Bridge');
  return {
    debug: (message, fields) => logger.debug({ msg: message, ...fields }),
    info: (message, fields) => logger.log({ msg: message, ...fields }),
    warn: (message, fields) => logger.warn({ msg: message, ...fields }),
    error: (message, fields) => logger.error({ msg: message, ...fields }),
  };
}
