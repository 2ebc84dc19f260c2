import { expect, it } from 'vitest';
import { type Control, type ControlStore, NO_CONTROL } from './control.js';
import { ControlWatch } from './control.watch.js';

it('lets a look that takes long not undo what a later one has told', async () => {
  const answers: ((paused: boolean) => void)[] = [];
  const all = () => {
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, Control>>();
    answers.push((paused) => resolve(new Map([['orders', { ...NO_CONTROL, paused }]])));
    return promise;
  };
  const told: boolean[] = [];
  const store = { all } as ControlStore;
  const watch = new ControlWatch(store, (controlOf) => told.push(controlOf('orders').paused));

  const [before, after] = [watch.look(), watch.look()];
  answers[1]?.(true);
  await after;
  answers[0]?.(false);
  await before;
  expect(told).toEqual([true]);

  const resumed = watch.look();
  answers[2]?.(false);
  await resumed;
  expect(told).toEqual([true, false]);
});
