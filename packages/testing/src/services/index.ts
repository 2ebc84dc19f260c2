export {
  BridgeClient,
  type ConflictPage,
  type ConflictView,
  type PipelineView,
  type VerifyView,
} from './bridge.client.js';
export { InventoryClient, type StockView } from './inventory.client.js';
export { type Answer, JsonClient, type RequestOptions } from './json.client.js';
export { type OrderRequest, OrdersClient, type OrderView, type Problem } from './orders.client.js';
