/** One variable that is missing or wrong, and what it should be. Never holds the variable's value. */
export interface ConfigFault {
  /** Name of the environment variable. */
  variable: string;
  /** What is wrong and how to put it right. */
  problem: string;
}

/** The environment does not fit the configuration schema. Lists every fault, so that one look mends all. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly canRetry = false;

  constructor(readonly faults: readonly ConfigFault[]) {
    super(
      [
        `${faults.length} environment ${faults.length === 1 ? 'variable is' : 'variables are'} missing or wrong:`,
        ...faults.map(({ variable, problem }) => `${variable} ${problem}`),
      ].join('\n  '),
    );
    this.name = 'ConfigError';
  }
}
