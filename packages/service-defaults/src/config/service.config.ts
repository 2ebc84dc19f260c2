import { z } from 'zod';
import { brokers, bytes, milliseconds, port, url } from './config-fields.js';

/** The environment that every service reads. A service adds its own with `serviceConfig.extend({ … })`. */
export const serviceConfig = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: port().describe('Port to listen on, for example 3001; 0 takes any free one'),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be one of trace, debug, info, warn, error, fatal, silent',
    )
    .default('info')
    .describe('Least severe level that is logged'),
  KAFKA_BROKERS: brokers().describe('Kafka bootstrap servers, for example 127.0.0.1:9092,127.0.0.1:9093'),
  SCHEMA_REGISTRY_URL: url('http', 'https').describe(
    'Schema Registry, for example http://127.0.0.1:8081/apis/ccompat/v7',
  ),
  REQUEST_TIMEOUT_MS: milliseconds()
    .default(30_000)
    .describe('How long a client may take to send its request'),
  BODY_LIMIT_BYTES: bytes().default(1_048_576).describe('Largest request body'),
  READINESS_TIMEOUT_MS: milliseconds().default(2_000).describe('How long one readiness check may take'),
  PARTITION_STALLED_AFTER_MS: milliseconds()
    .default(60_000)
    .describe('How long a partition with lag may stand still before the service is not ready'),
  SHUTDOWN_TIMEOUT_MS: milliseconds()
    .default(15_000)
    .describe('How long the service may take to finish what is in hand'),
});

/** The configuration that every service has. */
export type ServiceConfig = z.output<typeof serviceConfig>;
