import { resolve } from 'node:path';
import { openStack } from '@millrace/stack';

export const root = resolve(import.meta.dirname, '../../..');

/** The folder of the stack that the tests start for themselves, beside the one of daily work. */
export const ownStateDir = resolve(root, '.millrace/test');

/** The stack under test, for killing parts of it and starting them again. */
export const ownStack = () => openStack({ root, stateDir: ownStateDir });
