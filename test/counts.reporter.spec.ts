import { expect, it, vi } from 'vitest';
import type { TestModule } from 'vitest/node';
import CountsReporter from './counts.reporter.js';

const module = (states: string[], errors: unknown[] = []) =>
  ({
    children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
    errors: () => errors,
  }) as unknown as TestModule;

it.each([
  ['1 passed, 0 failed', [module(['passed'])], []],
  ['2 passed, 1 failed, 1 skipped', [module(['passed', 'failed']), module(['passed', 'skipped'])], []],
  ['0 passed, 1 failed', [module([], [new Error('could not be loaded')])], []],
  ['1 passed, 1 failed', [module(['passed'])], [new Error('outside every test')]],
  ['0 passed, 1 failed', [module(['pending'])], []],
])('ends with %s', (line, modules, errors) => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  new CountsReporter().onTestRunEnd(modules, errors);
  expect(log.mock.calls).toEqual([[line]]);
  log.mockRestore();
});
