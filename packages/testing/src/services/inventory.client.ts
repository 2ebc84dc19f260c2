import { type Answer, JsonClient } from './json.client.js';

/** A SKU as inventory-service shows it, in pieces. */
export interface StockView {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
}

/** Talks to inventory-service as a warehouse would. */
export class InventoryClient {
  readonly http: JsonClient;

  constructor(instances: readonly string[]) {
    this.http = new JsonClient(instances);
  }

  put(sku: string, onHand: number): Promise<Answer<StockView>> {
    return this.http.send('PUT', `/stock/${sku}`, { body: { onHand } });
  }

  stock(sku: string): Promise<Answer<StockView>> {
    return this.http.send('GET', `/stock/${sku}`);
  }

  reservation(orderId: string): Promise<Answer<{ readonly status: string }>> {
    return this.http.send('GET', `/reservations/${orderId}`);
  }
}
