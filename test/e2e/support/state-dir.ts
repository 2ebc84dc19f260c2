import { resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../../..');

/** The folder of the stack that the tests start for themselves, beside the one of daily work. */
export const ownStateDir = resolve(root, '.millrace/test');
