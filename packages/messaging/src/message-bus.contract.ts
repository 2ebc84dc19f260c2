import { randomUUID } from 'node:crypto';
import { eventually } from '@millrace/testing';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handle, type MessageBus, type MessageContext } from './message-bus.js';
import { type Noted, type TestEvents, testEvents } from './spec-support/test-events.js';

/** What the suite needs of an adapter: a topic of at least three partitions, and several buses on one log. */
export interface BusUnderTest {
  bus(): MessageBus;
  /** Appends bytes that no contract wrote; null is a tombstone. */
  append(key: string, value: Buffer | null): Promise<void>;
  close(): Promise<void>;
}

const WAIT_MS = 20_000;
const CLOSE_WITHIN_MS = 500;
export const contractOptions = { closeWithinMs: CLOSE_WITHIN_MS, backoff: { firstMs: 10, maxMs: 50 } };

/** The promises of `MessageBus`, for any adapter. */
export function messageBusContract(
  adapter: string,
  open: (events: TestEvents) => Promise<BusUnderTest>,
): void {
  describe(`${adapter}: the promises of the message bus`, () => {
    let events: TestEvents;
    let under: BusUnderTest;
    let group: string;

    beforeEach(async () => {
      events = testEvents();
      group = `test-${randomUUID()}`;
      under = await open(events);
    });
    afterEach(() => under.close());

    const note = (bus: MessageBus, key: string, text: string) =>
      bus.publish(events.Noted, { key, note: text });

    /** A key for each of `count` partitions, found by publishing. */
    async function keysOnDifferentPartitions(bus: MessageBus, count: number): Promise<string[]> {
      const keys = new Map<number, string>();
      for (let n = 0; keys.size < count && n < 100; n++) {
        const { partition } = await note(bus, `key-${n}`, 'first');
        if (!keys.has(partition)) keys.set(partition, `key-${n}`);
      }
      return [...keys.values()];
    }

    /** Subscribes and collects what is handled. */
    async function collect(
      bus: MessageBus,
      handler?: (event: Noted, context: MessageContext) => Promise<void>,
    ) {
      const handled: { event: Noted; context: MessageContext }[] = [];
      const subscription = await bus.subscribe({
        group,
        handlers: [
          handle(events.Noted, async (event, context) => {
            await handler?.(event, context);
            handled.push({ event, context });
          }),
        ],
      });
      const notes = () => handled.map(({ event }) => event.note);
      return { handled, notes, subscription };
    }

    test('an event comes to its handler with its id, key, place and headers', async () => {
      const bus = under.bus();
      const eventId = randomUUID();
      const position = await bus.publish(events.Noted, { key: 'k', note: 'hello' }, { eventId });
      const { handled } = await collect(bus);
      const [first] = await eventually('the event', WAIT_MS, () => handled.length > 0 && handled);
      expect(first?.event).toEqual({ key: 'k', note: 'hello' });
      expect(first?.context).toMatchObject({ ...position, eventId, key: 'k' });
      expect(first?.context.headers).toMatchObject({ id: eventId, eventType: 'millrace.test.Noted' });
      expect(Math.abs(Date.now() - (first?.context.timestamp.getTime() ?? 0))).toBeLessThan(60_000);
    });

    test('events of one key keep the order in which they were published', async () => {
      const bus = under.bus();
      const texts = Array.from({ length: 200 }, (_, n) => String(n));
      await Promise.all(texts.map((text) => note(bus, 'one-key', text)));
      const { notes } = await collect(bus);
      await eventually('all events', WAIT_MS, () => notes().length >= texts.length);
      expect(notes()).toEqual(texts);
    });

    test('a handler that fails gets the same record again; its partition waits, the others do not', async () => {
      const bus = under.bus();
      const [failing = '', other = ''] = await keysOnDifferentPartitions(bus, 2);
      await note(bus, failing, 'poison');
      await note(bus, failing, 'behind it');
      await note(bus, other, 'elsewhere');
      const failures = [
        new TypeError('t'),
        new RangeError('r'),
        new SyntaxError('s'),
        new Error('e'),
        undefined,
        'text',
      ];
      let attempts = 0;
      let isHealed = false;
      const { notes, subscription } = await collect(bus, async (event) => {
        if (event.note === 'poison' && !isHealed) throw failures[attempts++ % failures.length];
      });
      await eventually('every kind of failure', WAIT_MS, () => attempts > failures.length);
      await eventually('the other partition', WAIT_MS, () => notes().includes('elsewhere'));
      await eventually('the reason', WAIT_MS, () => subscription.reasons().length === 1);
      expect(subscription.reasons()[0]).toMatch(
        new RegExp(`^${events.topic}/\\d+@\\d+ fails and is retried`),
      );
      expect(notes()).not.toContain('behind it');

      isHealed = true;
      await eventually('the rest', WAIT_MS, () => notes().includes('behind it'));
      expect(notes().filter((text) => text === 'poison' || text === 'behind it')).toEqual([
        'poison',
        'behind it',
      ]);
      await eventually('readiness', WAIT_MS, () => subscription.reasons().length === 0);
    });

    test.each([
      ['of fewer than five bytes', Buffer.from([0, 0, 0])],
      ['with a wrong magic byte', Buffer.from('{"a":1}')],
      ['with a body that is cut off', Buffer.from([0, 0, 0, 0, 1, 200])],
      ['whose schema nobody knows', Buffer.from([0, 0, 0, 99, 99, 0])],
    ])('a record %s is not skipped, and holds up its own partition alone', async (_, value) => {
      const bus = under.bus();
      const [poisoned = '', other = ''] = await keysOnDifferentPartitions(bus, 2);
      await under.append(poisoned, value);
      await note(bus, poisoned, 'behind it');
      await note(bus, other, 'elsewhere');
      const { notes, subscription } = await collect(bus);
      await eventually('the other partition', WAIT_MS, () => notes().includes('elsewhere'));
      await eventually('the reason', WAIT_MS, () => subscription.reasons().length === 1);
      expect(notes()).not.toContain('behind it');
    });

    test('tombstones and types without a handler are passed over and counted', async () => {
      const bus = under.bus();
      await bus.publish(events.Erased, { key: 'k', note: 'nobody asked' });
      await under.append('k', null);
      await note(bus, 'k', 'behind them');
      const { notes } = await collect(bus);
      await eventually('what is behind them', WAIT_MS, () => notes().length === 1);
      const counter = await register.getSingleMetric('millrace_consumer_records_total')?.get();
      const counts = counter?.values.filter(({ labels }) => labels.group === group);
      expect(counts?.map(({ labels, value }) => [labels.outcome, value]).sort()).toEqual([
        ['handled', 1],
        ['not-subscribed', 1],
        ['tombstone', 1],
      ]);
    });

    test('consumers of one group share the partitions, and another group gets everything again', async () => {
      const [one, two] = [under.bus(), under.bus()];
      const mine = await collect(one);
      const yours = await collect(two);
      await eventually('both to be settled', 2 * WAIT_MS, () =>
        [mine, yours].every(({ subscription }) => subscription.reasons().length === 0),
      );
      const texts = Array.from({ length: 60 }, (_, n) => String(n));
      await Promise.all(texts.map((text) => note(one, `key-${text}`, text)));
      const all = () => [...mine.notes(), ...yours.notes()];
      await eventually('all events', WAIT_MS, () => all().length >= texts.length);
      expect(all().sort()).toEqual([...texts].sort());
      expect(mine.handled.length).toBeGreaterThan(0);
      expect(yours.handled.length).toBeGreaterThan(0);

      group = `${group}-other`;
      const { notes } = await collect(one);
      await eventually('all events once more', WAIT_MS, () => notes().length >= texts.length);
    });

    test('close finishes the record in hand and keeps its place', async () => {
      const bus = under.bus();
      await note(bus, 'k', 'in hand');
      await note(bus, 'k', 'next');
      let finish: () => void = () => undefined;
      const begun: string[] = [];
      const { notes, subscription } = await collect(bus, async (event) => {
        begun.push(event.note);
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      await eventually('the first record', WAIT_MS, () => begun.length === 1);
      const closing = subscription.close();
      finish();
      await closing;
      expect([begun, notes()]).toEqual([['in hand'], ['in hand']]);

      const { notes: later } = await collect(under.bus());
      await eventually('the record behind it', WAIT_MS, () => later().length > 0);
      expect(later()).toEqual(['next']);
    });

    test('close aborts a handler that takes too long, and its record comes again', async () => {
      const bus = under.bus();
      await note(bus, 'k', 'slow');
      let signal: AbortSignal | undefined;
      const { subscription } = await collect(bus, async (_, context) => {
        signal = context.signal;
        await new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason));
        });
      });
      await eventually('the slow record', WAIT_MS, () => signal !== undefined);
      await subscription.close();
      expect(signal?.aborted).toBe(true);
      const { notes } = await collect(under.bus());
      await eventually('the record again', WAIT_MS, () => notes().includes('slow'));
    });
  });
}
