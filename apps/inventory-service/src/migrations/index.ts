import { createCollections } from './create-collections.migration.js';
import { createCustomers } from './create-customers.migration.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const migrations: readonly Migration[] = [createCollections, createCustomers];
