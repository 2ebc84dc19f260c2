import { Decimal128 } from 'mongodb';
import { createCollection } from './create-collection.js';
import type { Migration } from './migration.js';

/** The most that numeric(18,4) holds. */
const MAX_CREDIT_LIMIT = Decimal128.fromString('99999999999999.9999');

/**
 * The inventory database's half of a pair: cdc-bridge keeps it equal to the table `customers` of the orders
 * database. What that table refuses is refused here, so that neither side has what the other cannot take.
 */
export const createCustomers: Migration = {
  version: 2,
  name: 'create customers',
  run: (db) =>
    createCollection(db, 'customers', {
      $jsonSchema: {
        required: ['name', 'email', 'creditLimit', 'updatedAt'],
        properties: {
          _id: { bsonType: 'string' },
          name: { bsonType: 'string' },
          email: { bsonType: 'string' },
          creditLimit: { bsonType: 'decimal', minimum: 0, maximum: MAX_CREDIT_LIMIT },
          updatedAt: { bsonType: 'date' },
        },
      },
    }),
};
