/** Where this package writes its log. A pino logger with its arguments turned round, or `console`-like. */
export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** For tools and tests that speak for themselves. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
