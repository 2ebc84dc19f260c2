import { InventoryError } from '../inventory.error.js';

/** One product asked for: in an order, or in a reservation. */
export interface StockLine {
  readonly sku: string;
  /** Pieces, above zero. */
  readonly quantity: number;
}

/** How a SKU stood when it was read. */
export interface StockLevel {
  readonly sku: string;
  readonly onHand: number;
  /** Pieces promised to orders: never above `onHand`. */
  readonly reserved: number;
  /** Counts the changes of this SKU, from 1. */
  readonly version: bigint;
}

/** A line whose stock was changed. */
export interface MovedLine extends StockLine {
  /** The SKU's version after the change. */
  readonly stockVersion: bigint;
}

/** A SKU that could not serve the order. */
export interface Shortage {
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
  /** The SKU's version when the shortage was seen, 0 when the SKU is unknown. */
  readonly stockVersion: bigint;
}

export type ReservationDecision =
  | { readonly kind: 'reserve'; readonly lines: readonly MovedLine[] }
  | { readonly kind: 'reject'; readonly shortages: readonly Shortage[] };

/** The most pieces of a SKU that can be on hand. */
export const MAX_ON_HAND = 1_000_000_000;

/** The most pieces that an event can tell of: Avro's int. Above MAX_ON_HAND, so that it is always a shortage. */
const MAX_REQUESTED = 2_147_483_647;

/** Pieces of a SKU that no order was promised. */
export function available(level: Pick<StockLevel, 'onHand' | 'reserved'>): number {
  return level.onHand - level.reserved;
}

/**
 * Adds up lines of the same SKU and sorts by SKU, so that every transaction touches stock in the same order.
 * A sum that no event could tell of becomes the largest that one can, which no stock can serve.
 *
 * @throws InventoryError ORDER_INVALID when there is no line, or one whose quantity is not a whole number above zero
 */
export function mergeLines(lines: readonly StockLine[]): StockLine[] {
  if (lines.length === 0) {
    throw new InventoryError('ORDER_INVALID', 'an order without lines cannot be reserved');
  }
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) {
    if (!Number.isInteger(quantity) || quantity < 1) {
      throw new InventoryError(
        'ORDER_INVALID',
        `quantity of SKU "${sku}" must be a whole number above zero, not ${quantity}`,
      );
    }
    quantities.set(sku, Math.min((quantities.get(sku) ?? 0) + quantity, MAX_REQUESTED));
  }
  return [...quantities]
    .map(([sku, quantity]) => ({ sku, quantity }))
    .sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

/**
 * Reserves every line or none.
 *
 * @param lines merged lines: each SKU once
 * @param levels how the SKUs stand; one that is not among them is unknown and has nothing available
 */
export function decideReservation(
  lines: readonly StockLine[],
  levels: ReadonlyMap<string, StockLevel>,
): ReservationDecision {
  const shortages = lines.flatMap(({ sku, quantity }): Shortage[] => {
    const level = levels.get(sku);
    const free = level ? available(level) : 0;
    return quantity > free
      ? [{ sku, requested: quantity, available: free, stockVersion: level?.version ?? 0n }]
      : [];
  });
  return shortages.length > 0
    ? { kind: 'reject', shortages }
    : { kind: 'reserve', lines: moveLines(lines, levels) };
}

/**
 * The lines as they stand once the stock of each has been changed.
 *
 * @throws InventoryError STOCK_CORRUPT when one of the SKUs is gone
 */
export function moveLines(lines: readonly StockLine[], levels: ReadonlyMap<string, StockLevel>): MovedLine[] {
  return lines.map(({ sku, quantity }) => {
    const level = levels.get(sku);
    if (!level) {
      throw new InventoryError(
        'STOCK_CORRUPT',
        `SKU "${sku}" is reserved but has no stock document: restore it`,
      );
    }
    return { sku, quantity, stockVersion: level.version + 1n };
  });
}
