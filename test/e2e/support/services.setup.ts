import { openProjectStack } from '@millrace/cli';
import { inject } from 'vitest';

const { name, services } = inject('stack');
const stack = openProjectStack({ stateDir: inject('stackFolder'), name });
const isService = (part: string) => Object.keys(services).some((service) => part.startsWith(service));

// What the other tests do without, because it takes half of a small machine even while nobody asks it anything.
if (!(await stack.status()).some((part) => part.pid !== undefined && isService(part.name))) await stack.up();
