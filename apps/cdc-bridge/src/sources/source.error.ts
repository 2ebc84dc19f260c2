/** What keeps a source from being prepared: every fault at once, each naming its table or collection. */
export class SourceRefused extends Error {
  readonly code = 'SOURCE_REFUSED';
  readonly canRetry = false;

  constructor(
    readonly database: string,
    readonly faults: readonly string[],
  ) {
    super(`${database}: ${faults.join('; ')}`);
  }
}
