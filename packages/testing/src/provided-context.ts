import type {} from 'vitest';
import type { StackEndpoints } from './stack-endpoints.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The stack that the run's global setup started, or was pointed to. */
    stack: StackEndpoints;
    /** The folder of that stack's state, for killing parts of it and starting them again. */
    stackFolder: string;
  }
}
