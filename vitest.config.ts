import { defineConfig } from 'vitest/config';

const built = ['**/node_modules/**', '**/dist/**'];
// The packages' tsconfig.json, which say so for the build, leave their specs out.
const oxc = { decorator: { legacy: true, emitDecoratorMetadata: true } };

const onStack = {
  exclude: built,
  globalSetup: ['test/stack.setup.ts'],
  // One stack, two cores: the files take turns, so that a killed broker disturbs only its own test.
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // As the services do: KafkaJS sets some timers late.
  execArgv: ['--disable-warning=TimeoutNegativeWarning'],
};

export default defineConfig({
  test: {
    reporters: ['default', './test/counts.reporter.ts'],
    projects: [
      {
        oxc,
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/src/**/*.spec.ts', 'test/*.spec.ts', 'bench/**/*.spec.ts'],
          exclude: [...built, '**/*.stack.spec.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        oxc,
        test: {
          ...onStack,
          name: 'stack',
          include: ['{packages,apps}/*/src/**/*.stack.spec.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        oxc,
        test: {
          ...onStack,
          name: 'e2e',
          include: ['test/e2e/**/*.spec.ts'],
          setupFiles: ['test/e2e/support/services.setup.ts'],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
