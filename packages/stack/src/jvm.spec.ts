import { expect, it } from 'vitest';
import { type Jit, jvm } from './jvm.js';

const argv = (jit: Jit) =>
  jvm({
    java: 'java',
    heapMb: 64,
    jit,
    tmp: '/tmp',
    archive: { folder: '/archives', of: 'kafka', write: false },
    program: ['-jar', 'a.jar'],
  });

it('leaves the optimising compiler out where a stack is to start quickly, and only there', () => {
  expect(argv('quick')).toContain('-XX:TieredStopAtLevel=1');
  expect(argv('full')).toEqual(argv('quick').filter((option) => option !== '-XX:TieredStopAtLevel=1'));
});
