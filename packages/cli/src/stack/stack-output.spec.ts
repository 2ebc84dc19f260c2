import type { Progress } from '@millrace/stack';
import { expect, it } from 'vitest';
import { plainView } from './progress-view.js';
import { statusTable } from './status.command.js';

it('writes a line with the time for what is ready, and none for what is only begun', () => {
  const lines: string[] = [];
  const { onProgress } = plainView((line) => lines.push(line));
  const events: Progress[] = [
    { name: 'kafka-1', state: 'starting' },
    { name: 'kafka-1', state: 'ready', ms: 2_345, started: true },
    { name: 'postgres', state: 'ready', ms: 12, started: false },
    { name: 'registry', state: 'failed', ms: 60_000, error: new Error('no') },
  ];
  for (const event of events) onProgress(event);
  expect(lines.map((line) => line.trim())).toEqual([
    'kafka-1 ready after 2.3 s',
    'postgres runs already',
    'registry failed after 60.0 s',
  ]);
});

it('tells what works, what does not and why, and what is stopped', () => {
  const part = (name: string) => ({
    name,
    address: '127.0.0.1:1',
    log: `/logs/${name}.log`,
    residentBytes: 0,
  });
  const table = statusTable([
    { ...part('kafka-1'), pid: 11, residentBytes: 200 * 1024 ** 2 },
    { ...part('registry'), pid: 12, fault: 'answered 503' },
    part('connect'),
  ]);
  expect(table).toMatch(/^kafka-1 +works +pid 11 +200 MB/m);
  expect(table).toMatch(/^registry +not working/m);
  expect(table).toMatch(/^connect +stopped/m);
  expect(table).toContain('2 of 3 run, 200 MB resident');
  expect(table).toContain('registry: answered 503\n  log: /logs/registry.log');
});

it('says how to start a stack that is down', () => {
  expect(statusTable([])).toContain('npx pnpm stack up');
});
