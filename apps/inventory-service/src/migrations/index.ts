import { createCollections } from './create-collections.migration.js';
import type { Migration } from './migration.js';

/** Every migration, in order. */
export const migrations: readonly Migration[] = [createCollections];
