import type { LoggedEvent, StockEvent } from './books.js';

/**
 * Rebuilds each SKU's stock from the events alone, by the version that every change carries, and holds each
 * rejection against it. Returns a sentence for each gap in a history and for each rejection that it does not bear out.
 */
export function falseRejections(put: ReadonlyMap<string, number>, log: readonly LoggedEvent[]): string[] {
  const events = log.filter((record): record is LoggedEvent & StockEvent => record.type.startsWith('Stock'));
  const histories = new Map([...put].map(([sku, pieces]) => [sku, history(sku, pieces, events)]));
  const gaps = [...histories.values()].flatMap(({ faults }) => faults);

  const rejections = events.flatMap((each) => (each.type === 'StockRejected' ? [each.event] : []));
  const unfounded = rejections.flatMap(({ orderId, shortages }) => {
    if (shortages.length === 0) return [`order ${orderId} was rejected without a shortage`];
    return shortages.flatMap(({ sku, requested, available, stockVersion }) => {
      const actual = histories.get(sku)?.availableAt.get(stockVersion);
      if (actual === undefined) return [`order ${orderId}: ${sku} had no version ${stockVersion}`];
      if (actual !== available)
        return [`order ${orderId}: ${sku} had ${actual} available, the event says ${available}`];
      return requested > available
        ? []
        : [`order ${orderId}: ${sku} could have served ${requested} of ${available}`];
    });
  });
  return [...gaps, ...unfounded];
}

interface StockHistory {
  readonly availableAt: ReadonlyMap<bigint, number>;
  readonly faults: readonly string[];
}

/** `pieces` were put on hand at version 1; each reservation and each release is one version more. */
function history(sku: string, pieces: number, events: readonly StockEvent[]): StockHistory {
  const changes = events
    .flatMap((each) => {
      if (each.type === 'StockRejected') return [];
      const sign = each.type === 'StockReserved' ? -1 : 1;
      return each.event.lines
        .filter((line) => line.sku === sku)
        .map((line) => ({ version: line.stockVersion, by: sign * line.quantity }));
    })
    .sort((a, b) => (a.version < b.version ? -1 : 1));

  const availableAt = new Map([[1n, pieces]]);
  const faults: string[] = [];
  let available = pieces;
  let version = 1n;
  for (const change of changes) {
    if (change.version !== version + 1n) faults.push(`${sku}: version ${change.version} follows ${version}`);
    version = change.version;
    available += change.by;
    if (available < 0) faults.push(`${sku}: ${available} available at version ${version}`);
    availableAt.set(version, available);
  }
  return { availableAt, faults };
}
