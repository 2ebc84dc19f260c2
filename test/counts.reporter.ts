import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one plain line of counts: `N passed, N failed, N skipped`. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const states = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => test.result().state),
    );
    const count = (state: string) => states.filter((each) => each === state).length;
    // A file that could not be loaded, or an error outside every test, is a failure too.
    const outside = errors.length + modules.filter((module) => module.errors().length > 0).length;
    const line = `${count('passed')} passed, ${count('failed') + count('pending') + outside} failed`;
    console.log(count('skipped') > 0 ? `${line}, ${count('skipped')} skipped` : line);
  }
}
