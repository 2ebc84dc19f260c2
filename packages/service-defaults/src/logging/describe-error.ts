import { maskPasswords } from './mask-passwords.js';

/** An error in one line for people: its message, without passwords that a URL in it may hold. */
export function describeError(error: unknown): string {
  return maskPasswords(textOf(error)).replace(/\s*[\r\n]+\s*/g, ' ');
}

// Node's connection errors over several addresses are an AggregateError without a message.
function textOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) {
    return [...new Set(error.errors.map(textOf))].join('; ');
  }
  return error instanceof Error ? error.message || error.name : String(error);
}
