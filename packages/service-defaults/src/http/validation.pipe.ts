import { setImmediate } from 'node:timers/promises';
import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { type Context, context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { ProblemFault } from './problem.js';
import { ValidationException } from './validation.exception.js';

interface Issue {
  message: string;
  path?: ReadonlyArray<PropertyKey | { key: PropertyKey }> | undefined;
}

class Issues extends Error {
  constructor(readonly issues: readonly Issue[]) {
    super('the value does not fit its schema');
  }
}

/**
 * Checks every argument of a handler that was declared with a schema (`@Body({ schema })`) and reports
 * the faults of all of them together. Nest starts the arguments' pipes side by side and takes the first
 * that fails, so each failing one waits a turn of the event loop for the others of its request.
 */
export class ValidationPipe extends StandardSchemaValidationPipe {
  readonly #faults = new WeakMap<Context, ProblemFault[]>();

  constructor() {
    super({ validateCustomDecorators: true, exceptionFactory: (issues) => new Issues(issues as Issue[]) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof Issues)) {
        throw error;
      }
      const faults = this.#faultsOfRequest();
      faults.push(...error.issues.map((issue) => toFault(issue, metadata)));
      await setImmediate();
      throw new ValidationException(faults);
    }
  }

  #faultsOfRequest(): ProblemFault[] {
    const request = context.active();
    const faults = this.#faults.get(request) ?? [];
    if (request !== ROOT_CONTEXT) {
      this.#faults.set(request, faults);
    }
    return faults;
  }
}

function toFault({ message, path = [] }: Issue, { type, data }: ArgumentMetadata): ProblemFault {
  const keys = path.map((segment) => String(typeof segment === 'object' ? segment.key : segment));
  const all = data === undefined ? keys : [data, ...keys];
  return type === 'body'
    ? { pointer: `#${all.map(toPointerSegment).join('')}`, detail: message }
    : { parameter: all.join('.'), detail: message };
}

// RFC 6901: ~ and / are escaped, then the whole is percent-encoded as a URI fragment.
function toPointerSegment(key: string): string {
  return `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`;
}
