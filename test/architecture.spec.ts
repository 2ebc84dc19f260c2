import { resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { checkImports, sourceFiles, unreadFiles } from './architecture/cruise.js';
import { rules } from './architecture/dependency.rules.js';

// Reading every import of the repository takes seconds, more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const root = resolve(import.meta.dirname, '..');
const planted = resolve(import.meta.dirname, 'fixtures/architecture');

it('keeps the directions of every import', async () => {
  const { summary } = await checkImports(root);
  expect(summary.violations.map((each) => `${each.rule.name}: ${each.from} → ${each.to}`)).toEqual([]);
});

it('has read every source file', async () => {
  const { modules } = await checkImports(root);
  const read = modules.map((module) => module.source);
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

it.each(rules.map((rule) => rule.name as string))('notices a planted violation of %s', async (name) => {
  const { summary } = await checkImports(planted);
  expect(summary.violations.map((each) => each.rule.name)).toContain(name);
});
