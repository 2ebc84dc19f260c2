import { runService } from '@millrace/service-defaults';
import { AppModule } from './app.module.js';
import { bridgeConfig } from './config.js';

await runService({
  name: 'cdc-bridge',
  description: 'Keeps Postgres and MongoDB in step through Kafka, one way and both ways.',
  module: AppModule,
  config: bridgeConfig(process.env),
});
