import type { DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { collectDefaultMetrics, Registry, register } from 'prom-client';
import type { ServiceConfig } from '../config/service.config.js';
import { HealthController } from '../health/health.controller.js';
import { Readiness } from '../health/readiness.js';
import { MetricsController } from '../metrics/metrics.controller.js';
import { CONFIG } from './config.token.js';

class ServiceDefaultsModule {}

/** Gives every module of a service its configuration, `Readiness` and prom-client's `Registry`. */
export function serviceDefaults(config: ServiceConfig): DynamicModule {
  const providers = [
    { provide: CONFIG, useValue: config },
    { provide: Registry, useValue: processMetrics() },
    { provide: Readiness, useValue: new Readiness(config.READINESS_TIMEOUT_MS) },
  ];
  return {
    module: ServiceDefaultsModule,
    global: true,
    imports: [DiscoveryModule],
    controllers: [HealthController, MetricsController],
    providers,
    exports: providers,
  };
}

/** prom-client's default register, which libraries use as well: one for the process, as its metrics are. */
function processMetrics(): Registry {
  if (!register.getSingleMetric('process_resident_memory_bytes')) {
    collectDefaultMetrics({ register });
  }
  return register;
}
