import type { LoggerService } from '@nestjs/common';
import type { Level, Logger } from 'pino';

/** What Nest reports while it wires an application: of interest only when that goes wrong. */
const wiring = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/**
 * Lets Nest, and every `new Logger('Orders')` from `@nestjs/common`, write through pino:
 * `logger.log('order expired', { orderId })`, `logger.error('cannot read', error)`.
 */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  verbose = (message: unknown, ...rest: unknown[]) => this.#write('trace', message, rest);
  debug = (message: unknown, ...rest: unknown[]) => this.#write('debug', message, rest);
  warn = (message: unknown, ...rest: unknown[]) => this.#write('warn', message, rest);
  error = (message: unknown, ...rest: unknown[]) => this.#write('error', message, rest);
  fatal = (message: unknown, ...rest: unknown[]) => this.#write('fatal', message, rest);
  log = (message: unknown, ...rest: unknown[]) =>
    this.#write(wiring.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);

  // Nest appends the context of the Logger as last argument; before it come details, in any order.
  #write(level: Level, message: unknown, rest: unknown[]): void {
    const context = typeof rest.at(-1) === 'string' ? { context: rest.at(-1) } : {};
    const details = 'context' in context ? rest.slice(0, -1) : rest;
    const text = typeof message === 'string' ? message : undefined;
    const fields = (text === undefined ? [message, ...details] : details).map(toFields);
    this.logger[level](Object.assign({}, ...fields, context), text);
  }
}

function toFields(detail: unknown): object {
  if (detail instanceof Error) {
    return { err: detail };
  }
  if (typeof detail === 'string') {
    return { stack: detail };
  }
  return typeof detail === 'object' && detail !== null ? detail : { detail };
}
