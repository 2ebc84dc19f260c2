import './provided-context.js';

export * from './books/books.check.js';
export * from './books/books.js';
export * from './books/books.reader.js';
export * from './books/stock-history.check.js';
export { BreakableProxy } from './breakable-proxy.js';
export { copyFrom } from './copy-from.js';
export { eventually } from './eventually.js';
export { LOOPBACK, listeningAddresses } from './listening.js';
export * from './load/many-orders.js';
export * from './load/order.plan.js';
export { type DecodedValue, LogDecoder } from './log-decoder.js';
export { LogReader, type LogRecord } from './log-reader.js';
export { type ReservationLedger, RunningSystem } from './running-system.js';
export * from './services/index.js';
export { specify } from './specify.js';
export type { DatabaseUrls, StackEndpoints, StackProcess } from './stack-endpoints.js';
export { deleteTopic, expireRecords } from './topic-losses.js';
