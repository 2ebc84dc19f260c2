import { ProblemException, type ProblemFault } from './problem.js';

const MAX_FAULTS = 100;

/** The request does not fit the schemas of its route. Lists every fault, up to a hundred. */
export class ValidationException extends ProblemException {
  constructor(faults: ProblemFault[]) {
    const more = faults.length - MAX_FAULTS;
    const shown = more > 0 ? [...faults.slice(0, MAX_FAULTS), { detail: `and ${more} more faults` }] : faults;
    super({
      status: 400,
      code: 'REQUEST_INVALID',
      detail: faults.length === 1 ? 'The request has 1 fault.' : `The request has ${faults.length} faults.`,
      errors: shown,
    });
  }
}
