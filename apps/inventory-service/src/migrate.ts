import { expireMongoInbox } from '@millrace/messaging';
import { ORDER_EVENTS, retentionOf } from '@millrace/schemas';
import { loadConfig } from '@millrace/service-defaults';
import { z } from 'zod';
import { mongoUrl } from './config.js';
import { migrations } from './migrations/index.js';
import { migrateDatabase } from './migrations/migrate-database.js';
import { createMongoClient } from './mongo/mongo-client.js';

try {
  const { MONGODB_URL } = loadConfig(z.object({ MONGODB_URL: mongoUrl }));
  await using client = createMongoClient(MONGODB_URL, 'inventory-service migrate');
  const applied = await migrateDatabase(client.db(), migrations);
  // With every deploy: the topic's declaration may have changed.
  await expireMongoInbox(client.db(), retentionOf(ORDER_EVENTS));
  console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply');
} catch (error) {
  console.error(`inventory-service migrate: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
