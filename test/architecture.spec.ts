import { resolve } from 'node:path';
import type { ICruiseResult } from 'dependency-cruiser';
import { beforeAll, expect, it } from 'vitest';
import { checkImports, sourceFiles, unreadFiles } from './architecture/cruise.js';
import { rules } from './architecture/dependency.rules.js';

const root = resolve(import.meta.dirname, '..');
const planted = resolve(import.meta.dirname, 'fixtures/architecture');

let ours: ICruiseResult;
let violating: ICruiseResult;
// Reading every import of the repository takes seconds, more on a busy machine.
beforeAll(async () => {
  ours = await checkImports(root);
  violating = await checkImports(planted);
}, 120_000);

it('keeps the directions of every import', () => {
  expect(ours.summary.violations.map((each) => `${each.rule.name}: ${each.from} → ${each.to}`)).toEqual([]);
});

it('has read every source file', () => {
  const read = ours.modules.map((module) => module.source);
  expect(unreadFiles(sourceFiles(root), read)).toEqual([]);
});

it('reports a file that was not read', () => {
  expect(unreadFiles(['bench/main.ts', 'test/stack.setup.ts'], ['bench/main.ts'])).toEqual([
    'test/stack.setup.ts',
  ]);
});

it('counts every folder of sources, and no planted violation', () => {
  const files = sourceFiles(root);
  expect(files).toEqual(
    expect.arrayContaining([
      'apps/order-service/src/main.ts',
      'bench/main.ts',
      'packages/schemas/scripts/generate.ts',
      'packages/schemas/src/index.ts',
      'test/architecture.spec.ts',
      'test/e2e/saga.spec.ts',
    ]),
  );
  expect(files.filter((file) => /(^|\/)(fixtures|dist|node_modules)\//.test(file))).toEqual([]);
});

it.each(rules.map((rule) => rule.name as string))('notices a planted violation of %s', (name) => {
  expect(violating.summary.violations.map((each) => each.rule.name)).toContain(name);
});
