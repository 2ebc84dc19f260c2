import { expect, it } from 'vitest';
import { StackError } from '../stack.error.js';
import { after, type Node, parallel, type Resource, resource, sequence, step } from './resource.js';
import { type Progress, startTree } from './start-tree.js';
import { stopTree } from './stop-tree.js';

/** Resources that write down what happens to them; each becomes healthy when the test says so. */
const recorder = () => {
  const log: string[] = [];
  const healthy = new Set<string>();
  const fake = (name: string, overrides: Partial<Resource> = {}) =>
    resource({
      name,
      healthTimeoutMs: 5_000,
      start: async () => {
        log.push(`start ${name}`);
        return 'started';
      },
      healthy: async () => {
        if (!healthy.has(name)) throw new Error(`${name} says not yet`);
      },
      stop: async () => {
        log.push(`stop ${name}`);
      },
      ...overrides,
    });
  return { log, healthy, fake };
};

const until = async (condition: () => boolean) =>
  expect.poll(condition, { timeout: 5_000, interval: 5 }).toBe(true);

it('starts the children of a sequence each behind the health of the one before', async () => {
  const { log, healthy, fake } = recorder();
  const up = startTree(sequence(fake('a'), fake('b')));
  await until(() => log.includes('start a'));
  expect(log).not.toContain('start b');
  healthy.add('a').add('b');
  await up;
  expect(log).toEqual(['start a', 'start b']);
});

it('starts the children of a parallel at once', async () => {
  const { log, healthy, fake } = recorder();
  const up = startTree(parallel(fake('a'), fake('b')));
  await until(() => log.length === 2);
  healthy.add('a').add('b');
  await up;
});

it('starts a child that names what it needs as soon as just that is ready', async () => {
  const { log, healthy, fake } = recorder();
  const tree = sequence(parallel(fake('slow'), fake('quick')), after(['quick'], fake('early')), fake('last'));
  const up = startTree(tree);
  healthy.add('quick').add('early');
  await until(() => log.includes('start early'));
  expect(log).not.toContain('start last');
  healthy.add('slow').add('last');
  await up;
  expect(log.at(-1)).toBe('start last');
});

it('refuses a tree that waits for something that is not in it', async () => {
  const { fake } = recorder();
  await expect(startTree(sequence(after(['nobody'], fake('a'))))).rejects.toThrow('"nobody"');
});

it('stops in the order of the tree backwards, whatever started when', async () => {
  const { log, fake } = recorder();
  await stopTree(
    sequence(parallel(fake('a'), fake('b')), after([], fake('c')), sequence(fake('d'), fake('e'))),
  );
  expect(log.slice(0, 3)).toEqual(['stop e', 'stop d', 'stop c']);
  expect(log.slice(3).sort()).toEqual(['stop a', 'stop b']);
});

it('keeps what waits from starting when one fails, and throws its reason', async () => {
  const { log, healthy, fake } = recorder();
  healthy.add('bystander');
  const broken = fake('broken', { start: () => Promise.reject(new Error('no such disk')) });
  const up = startTree(sequence(parallel(broken, fake('bystander')), fake('next')));
  await expect(up).rejects.toThrow('no such disk');
  expect(log).not.toContain('start next');
});

it('gives up on a resource that is never healthy, with its last reason', async () => {
  const { fake } = recorder();
  const up = startTree(fake('a', { healthTimeoutMs: 250 }));
  await expect(up).rejects.toThrow('a was not ready within 0.25 s: a says not yet');
});

it('says where to read, both of what was never healthy and of what failed', async () => {
  const { fake } = recorder();
  const hint = async () => 'Read /logs/a.log';
  await expect(startTree(fake('a', { healthTimeoutMs: 0, hint }))).rejects.toThrow(
    'not yet. Read /logs/a.log',
  );
  const job = step('job', () => Promise.reject(new Error('no such topic')), hint);
  await expect(startTree(job)).rejects.toThrow('job failed: no such topic. Read /logs/a.log');
});

it('does not wait for the timeout when the check says that there is no hope', async () => {
  const { fake } = recorder();
  const gone = new StackError('START_FAILED', 'a ended right after its start');
  await expect(startTree(fake('a', { healthy: () => Promise.reject(gone) }))).rejects.toBe(gone);
});

it('is interrupted while a resource is not yet healthy, and starts nothing more', async () => {
  const { log, fake } = recorder();
  const interrupt = new AbortController();
  const up = startTree(sequence(fake('a'), fake('b')), { signal: interrupt.signal });
  await until(() => log.includes('start a'));
  interrupt.abort(new StackError('INTERRUPTED', 'Interrupted.'));
  await expect(up).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(log).toEqual(['start a']);
});

it('tells what failed from what was given up because of it', async () => {
  const { fake } = recorder();
  const seen = new Map<string, string>();
  const broken = fake('broken', { healthTimeoutMs: 100 });
  const up = startTree(parallel(broken, fake('bystander')), { onProgress: (p) => seen.set(p.name, p.state) });
  await expect(up).rejects.toThrow('broken was not ready');
  expect(Object.fromEntries(seen)).toEqual({ broken: 'failed', bystander: 'abandoned' });
});

it('stops the rest when one does not stop, and names that one', async () => {
  const { log, fake } = recorder();
  const stuck = fake('stuck', { stop: () => Promise.reject(new Error('still there')) });
  await expect(stopTree(sequence(fake('a'), stuck))).rejects.toThrow('stuck: still there');
  expect(log).toEqual(['stop a']);
});

it('stops only what it is told to', async () => {
  const { log, fake } = recorder();
  const tree: Node = sequence(fake('a'), fake('b'));
  await stopTree(tree, { only: (name) => name === 'a' });
  expect(log).toEqual(['stop a']);
});

it('reports each resource with its time, and tells started from found running', async () => {
  const { healthy, fake } = recorder();
  healthy.add('found');
  const seen: Progress[] = [];
  const found = fake('found', { start: async () => 'running' });
  await startTree(
    sequence(
      found,
      step('job', async () => {}),
    ),
    { onProgress: (p) => seen.push(p) },
  );
  const ready = seen.flatMap((p) => (p.state === 'ready' ? [[p.name, p.started]] : []));
  expect(ready).toEqual([
    ['found', false],
    ['job', true],
  ]);
});
