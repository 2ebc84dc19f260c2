import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

const header = createParamDecorator((name: string, execution: ExecutionContext) => {
  const value = execution.switchToHttp().getRequest<FastifyRequest>().headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
});

/**
 * A request header as a handler's argument, checked by a schema (Nest's own `@Headers` is not) and
 * documented: `@RequestHeader('Idempotency-Key', idempotencyKey) key: string`.
 */
export function RequestHeader(name: string, schema: z.ZodType): ParameterDecorator {
  return (target, method, index) => {
    header(name, { schema })(target, method, index);
    const descriptor = method && Object.getOwnPropertyDescriptor(target, method);
    if (method && descriptor) {
      const required = !schema.safeParse(undefined).success;
      ApiHeader({ name, required, ...(schema.description && { description: schema.description }) })(
        target,
        method,
        descriptor,
      );
    }
  };
}
