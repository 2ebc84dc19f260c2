import { Injectable } from '@nestjs/common';
import { type ClientSession, type Collection, Db, MongoServerError } from 'mongodb';
import { InventoryError } from '../inventory.error.js';
import { OPERATION_TIMEOUT_MS } from '../mongo/mongo-client.js';
import type { MovedLine, StockLevel } from './stock.decision.js';
import { levelOf, type StockDocument, stockCollection } from './stock.document.js';

const DUPLICATE_KEY = 11_000;
const PUT_TRIES = 10;

export type SetOnHandResult =
  | { readonly done: true; readonly level: StockLevel }
  /** More pieces are reserved than `onHand` would leave. */
  | { readonly done: false; readonly level: StockLevel };

@Injectable()
export class StockRepository {
  readonly #stock: Collection<StockDocument>;

  constructor(db: Db) {
    this.#stock = stockCollection(db);
  }

  async find(sku: string): Promise<StockLevel | undefined> {
    const document = await this.#stock.findOne({ _id: sku }, { maxTimeMS: OPERATION_TIMEOUT_MS });
    return document ? levelOf(document) : undefined;
  }

  /** SKUs in order, from the first one after `after`. */
  async list(after: string | undefined, limit: number): Promise<StockLevel[]> {
    const documents = await this.#stock
      .find(after === undefined ? {} : { _id: { $gt: after } }, { maxTimeMS: OPERATION_TIMEOUT_MS })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();
    return documents.map(levelOf);
  }

  /** Sets the pieces on hand, and begins a SKU that is new. Refused below what is reserved, whoever reserves meanwhile. */
  async setOnHand(sku: string, onHand: number, now: Date): Promise<SetOnHandResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        const document = await this.#stock.findOneAndUpdate(
          { _id: sku, reserved: { $lte: onHand } },
          { $set: { onHand, updatedAt: now }, $inc: { version: 1n }, $setOnInsert: { reserved: 0 } },
          { upsert: true, returnDocument: 'after', maxTimeMS: OPERATION_TIMEOUT_MS },
        );
        return { done: true, level: levelOf(document as StockDocument) };
      } catch (error) {
        // The SKU exists and the filter did not take it: too much is reserved, or it came into being just now.
        if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY || attempt >= PUT_TRIES) {
          throw error;
        }
      }
      const level = await this.find(sku);
      if (level && level.reserved > onHand) {
        return { done: false, level };
      }
    }
  }

  /** How these SKUs stand in the transaction's snapshot; unknown ones are missing. */
  async levels(session: ClientSession, skus: readonly string[]): Promise<Map<string, StockLevel>> {
    const documents = await this.#stock.find({ _id: { $in: [...skus] } }, { session }).toArray();
    return new Map(documents.map((document) => [document._id, levelOf(document)]));
  }

  /** Adds the lines' quantities to what is reserved. @throws InventoryError STOCK_CORRUPT */
  async reserve(session: ClientSession, lines: readonly MovedLine[], now: Date): Promise<void> {
    await this.#move(session, lines, 1, now);
  }

  /** Takes the lines' quantities off what is reserved. @throws InventoryError STOCK_CORRUPT */
  async release(session: ClientSession, lines: readonly MovedLine[], now: Date): Promise<void> {
    await this.#move(session, lines, -1, now);
  }

  /** The version in each filter is the one that was read: in one snapshot it cannot have moved. */
  async #move(session: ClientSession, lines: readonly MovedLine[], sign: 1 | -1, now: Date): Promise<void> {
    const { matchedCount } = await this.#stock.bulkWrite(
      lines.map(({ sku, quantity, stockVersion }) => ({
        updateOne: {
          filter: { _id: sku, version: stockVersion - 1n },
          update: { $inc: { reserved: sign * quantity, version: 1n }, $set: { updatedAt: now } },
        },
      })),
      { session, ordered: true },
    );
    if (matchedCount !== lines.length) {
      throw new InventoryError(
        'STOCK_CORRUPT',
        `${lines.length} SKUs were to be changed, ${matchedCount} were there`,
      );
    }
  }
}
