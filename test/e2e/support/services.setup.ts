import { openProjectStack } from '@millrace/cli';
import { inject } from 'vitest';

// Starts what the other tests do without, because it takes half of a small machine even while nobody asks it anything.
await openProjectStack({ stateDir: inject('stackFolder'), name: inject('stack').name }).up();
