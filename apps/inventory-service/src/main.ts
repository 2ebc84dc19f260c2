import { runService } from '@millrace/service-defaults';
import { AppModule } from './app.module.js';
import { inventoryServiceConfig } from './config.js';

await runService({
  name: 'inventory-service',
  description: 'Stock, and what of it is reserved for orders.',
  module: AppModule,
  config: inventoryServiceConfig,
});
