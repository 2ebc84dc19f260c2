import { Module } from '@nestjs/common';
import { loadConfig } from '../config/load-config.js';
import { serviceConfig } from '../config/service.config.js';
import { createService, type Service } from '../service/create-service.js';
import { ThingsController } from './things.controller.js';

/** Environment that fits `serviceConfig`. */
export const tinyEnvironment = {
  PORT: '0',
  KAFKA_BROKERS: '127.0.0.1:9092',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081',
};

@Module({ controllers: [ThingsController] })
class TinyModule {}

/** A service in this process, and the log lines it has written. */
export async function createTinyService(
  env: Record<string, string> = {},
): Promise<Service & { lines: string[] }> {
  const lines: string[] = [];
  const service = await createService({
    name: 'tiny-service',
    module: TinyModule,
    config: loadConfig(serviceConfig, { ...tinyEnvironment, ...env }),
    logStream: { write: (line) => void lines.push(line) },
  });
  return { ...service, lines };
}
