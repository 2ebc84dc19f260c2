import type { IForbiddenRuleType } from 'dependency-cruiser';

const workspaces = ['schemas', 'messaging', 'service-defaults', 'testing', 'stack', 'cli'].map(
  (name) => `packages/${name}`,
);
const apps = 'apps/[^/]+';
/** Specs, and what only they use. */
const specs = '(\\.spec\\.ts$|\\.contract\\.ts$|/spec-support/|^apps/.+/testing/)';

/** A library of node_modules, resolved or, where it is not installed, by its bare name. */
const outside = (library: string) => `(^|/node_modules/)${library}(/|$)`;

/** `folder` may import, of ours, only `allowed`: paths of workspaces, or of single files. */
const only = (name: string, folder: string, allowed: string[], comment: string): IForbiddenRuleType => ({
  name,
  severity: 'error',
  comment,
  from: { path: `^${folder}/`, pathNot: specs },
  to: {
    path: [...workspaces, apps, 'test', 'bench'].map((each) => `^${each}/`),
    pathNot: [folder, ...allowed].map((each) => `^${each}/`),
  },
});

/** An outside library that has its place. `name` is a folder of node_modules. */
const confined = (name: string, library: string, allowed: string[], comment: string): IForbiddenRuleType => ({
  name,
  severity: 'error',
  comment,
  from: { pathNot: allowed },
  to: { path: outside(library) },
});

/** Who may import whom. `docs/decisions/0010-import-directions.md` tells why. */
export const rules: IForbiddenRuleType[] = [
  only(
    'schemas-stand-alone',
    'packages/schemas',
    [],
    'schemas is the shared language: it imports nothing of ours',
  ),
  only(
    'service-defaults-stand-alone',
    'packages/service-defaults',
    [],
    'service-defaults imports nothing of ours',
  ),
  only(
    'messaging-knows-schemas',
    'packages/messaging',
    ['packages/schemas'],
    'messaging imports schemas only',
  ),
  only('testing-knows-schemas', 'packages/testing', ['packages/schemas'], 'testing imports schemas only'),
  only('stack-stands-alone', 'packages/stack', [], 'stack knows apps by command, port and URL only'),
  only(
    'cli-joins',
    'packages/cli',
    ['packages/stack', 'packages/schemas', 'packages/messaging', 'packages/testing'],
    'cli starts the stack, deploys and shows: it never imports an app',
  ),
  {
    name: 'apps-never-import-apps',
    severity: 'error',
    comment: 'the only shared language of two services is schemas',
    from: { path: '^apps/([^/]+)/' },
    to: { path: `^${apps}/`, pathNot: '^apps/$1/' },
  },
  {
    name: 'apps-import-libraries-only',
    severity: 'error',
    comment: 'an app imports schemas, messaging and service-defaults; testing only in its specs',
    from: { path: `^${apps}/`, pathNot: specs },
    to: { path: '^(packages/(testing|stack|cli)|test|bench)/' },
  },
  {
    name: 'packages-never-import-apps',
    severity: 'error',
    comment: 'packages serve apps and know none',
    from: { path: '^packages/' },
    to: { path: `^${apps}/` },
  },
  confined(
    'kafkajs-in-its-place',
    'kafkajs',
    ['^packages/messaging/src/kafka/', '^packages/testing/src/(log-reader|topic-losses)\\.ts$', '^bench/'],
    'KafkaJS stays behind the messaging port',
  ),
  confined(
    'prisma-in-repositories',
    '@prisma',
    ['\\.repository\\.ts$', 'prisma\\.(module|service|client)\\.ts$', '/generated/', specs],
    'Prisma stays in repositories and its module',
  ),
  {
    name: 'decisions-are-pure',
    severity: 'error',
    comment: 'files that hold decisions import no framework, driver or client',
    from: { path: '\\.(state|decision)\\.ts$' },
    to: { path: outside('(@nestjs|@prisma|kafkajs|mongodb|pg|rxjs|fastify)') },
  },
  {
    name: 'no-circles',
    severity: 'error',
    comment: 'modules that need each other are one module',
    from: { pathNot: '/generated/' },
    to: { circular: true },
  },
  {
    name: 'nothing-unresolved',
    severity: 'error',
    comment: 'an import that cannot be resolved was not checked either',
    from: {},
    to: { couldNotResolve: true, pathNot: '^(vitest|node:)' },
  },
];
