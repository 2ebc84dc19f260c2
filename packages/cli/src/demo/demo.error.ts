/** The demo did not show what it should: the message says what, and which logs to read. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
