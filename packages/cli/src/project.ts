import { join } from 'node:path';

/** The checkout that this program belongs to: it lies in packages/cli/dist. */
export const PROJECT_ROOT = join(import.meta.dirname, '..', '..', '..');
