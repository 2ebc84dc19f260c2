import { openStack } from '@millrace/stack';
import { inject } from 'vitest';
import { root } from './root.js';

/** The stack under test, for killing parts of it and starting them again. */
export const ownStack = () => openStack({ root, stateDir: inject('stackFolder') });
