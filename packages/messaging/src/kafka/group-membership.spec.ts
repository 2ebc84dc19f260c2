import { expect, test } from 'vitest';
import { GroupMembership } from './group-membership.js';

function membership() {
  const clock = { now: 0 };
  return { clock, group: new GroupMembership('g', 10_000, () => clock.now) };
}

test('is ready once it has joined, and while no rebalance is under way', () => {
  const { group } = membership();
  expect(group.reasons()).toEqual(['consumer group g: not joined yet']);
  group.joined();
  expect(group.reasons()).toEqual([]);
  group.rebalancing();
  expect(group.reasons()).toEqual(['consumer group g: rebalancing']);
  group.joined();
  expect(group.reasons()).toEqual([]);
});

test('is ready with an answered heartbeat, where a rebalance ends without a join', () => {
  const { group } = membership();
  group.joined();
  group.rebalancing();
  group.heard();
  expect(group.reasons()).toEqual([]);
});

test('falls silent once after a session without a heartbeat, and recovers with the next', () => {
  const { group, clock } = membership();
  group.joined();
  clock.now = 9_999;
  expect(group.fellSilent()).toBe(false);
  clock.now = 10_000;
  expect([group.fellSilent(), group.fellSilent()]).toEqual([true, false]);
  expect(group.reasons()).toEqual(['consumer group g: no heartbeat answered for 10 s']);
  group.heard();
  expect(group.reasons()).toEqual([]);
});

test('says why it crashed, until it has joined again', () => {
  const { group } = membership();
  group.crashed(new TypeError('boom'));
  expect(group.reasons()).toEqual([
    'consumer group g: the consumer crashed and is built anew: TypeError: boom',
  ]);
  group.joining();
  group.joined();
  expect(group.reasons()).toEqual([]);
});
