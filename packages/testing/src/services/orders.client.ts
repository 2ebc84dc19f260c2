import { randomUUID } from 'node:crypto';
import { type Answer, JsonClient, type RequestOptions } from './json.client.js';

export interface OrderRequest {
  readonly customerId: string;
  readonly currency: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitPrice: string }[];
}

/** An order as order-service shows it. */
export interface OrderView extends OrderRequest {
  readonly id: string;
  readonly status: 'placed' | 'confirmed' | 'rejected' | 'cancelled' | 'expired';
  readonly total: string;
}

/** RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

/** Talks to order-service as a customer would. */
export class OrdersClient {
  readonly http: JsonClient;

  constructor(instances: readonly string[]) {
    this.http = new JsonClient(instances);
  }

  /** Places an order; the same `key` again is the same order. */
  place(
    order: OrderRequest,
    key: string = randomUUID(),
    options: RequestOptions = {},
  ): Promise<Answer<OrderView>> {
    const headers = { 'idempotency-key': key, ...options.headers };
    return this.http.send('POST', '/orders', { ...options, body: order, headers });
  }

  get(id: string): Promise<Answer<OrderView>> {
    return this.http.send('GET', `/orders/${id}`);
  }

  cancel(id: string): Promise<Answer<OrderView>> {
    return this.http.send('POST', `/orders/${id}/cancel`);
  }
}
