import { serviceConfig } from '@millrace/service-defaults';
import { z } from 'zod';

/** The variable of the service, and of its migrations. */
export const mongoUrl = z
  .string()
  // Without a name, the driver would quietly use the database `test`.
  .regex(/^mongodb(\+srv)?:\/\/[^/\s]+\/[^/?\s]+(\?\S*)?$/, 'must be mongodb://…/<database name>')
  .describe(
    'The inventory database, as the role inventory_app for the service and inventory_owner for migrations, ' +
      'for example mongodb://inventory_app:secret@127.0.0.1:27017/inventory?replicaSet=rs0&authSource=admin',
  );

/** What inventory-service reads from its environment. */
export const inventoryServiceConfig = serviceConfig.extend({ MONGODB_URL: mongoUrl });

export type InventoryServiceConfig = z.output<typeof inventoryServiceConfig>;
