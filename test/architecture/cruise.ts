import { globSync } from 'node:fs';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { rules } from './dependency.rules.js';

const sources = ['packages', 'apps', 'test', 'bench'];

/** The TypeScript sources below `root`, as the disk has them. */
export const sourceFiles = (root: string): string[] =>
  globSync(['packages/*/{src,scripts}/**/*.ts', 'apps/*/src/**/*.ts', '{test,bench}/**/*.ts'], {
    cwd: root,
    exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**'],
  });

/** Those of `present` that are not among `read`: nothing is known about their imports. */
export const unreadFiles = (present: readonly string[], read: Iterable<string>): string[] => {
  const known = new Set(read);
  return present.filter((file) => !known.has(file));
};

/** Reads every import below `root` and holds it against the rules. */
export async function checkImports(root: string): Promise<ICruiseResult> {
  const present = sources.filter((each) => globSync(each, { cwd: root }).length > 0);
  const { output } = await cruise(
    present,
    {
      baseDir: root,
      ruleSet: { forbidden: rules },
      validate: true,
      parser: 'tsc',
      tsPreCompilationDeps: true,
      exclude: { path: '(^|/)fixtures/' },
      doNotFollow: { path: ['node_modules', '/dist/'] },
      moduleSystems: ['es6'],
    },
    { exportsFields: ['exports'], conditionNames: ['import', 'default', 'types'] } as never,
  );
  return output as ICruiseResult;
}
