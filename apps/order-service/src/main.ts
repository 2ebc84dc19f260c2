import { runService } from '@millrace/service-defaults';
import { AppModule } from './app.module.js';
import { orderServiceConfig } from './config.js';

await runService({
  name: 'order-service',
  description: 'Places orders, asks for their stock, and follows them to their end.',
  module: AppModule,
  config: orderServiceConfig,
});
