import { expect, it } from 'vitest';
import { demoCommand } from './demo.command.js';

it('places a thousand orders unless told otherwise', () => {
  expect(demoCommand().opts()).toMatchObject({ orders: 1_000, seed: 1 });
});
