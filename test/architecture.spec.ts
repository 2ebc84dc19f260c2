import { resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { checkImports, sourceFiles } from './architecture/cruise.js';
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
  const read = new Set((await checkImports(root)).modules.map((module) => module.source));
  expect(sourceFiles(root).filter((file) => !read.has(file))).toEqual([]);
});

it.each(rules.map((rule) => rule.name as string))('notices a planted violation of %s', async (name) => {
  const { summary } = await checkImports(planted);
  expect(summary.violations.map((each) => each.rule.name)).toContain(name);
});
