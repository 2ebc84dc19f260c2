import { isOrderId } from './order-id.js';

/** Where a page of orders ends. Opaque to clients, so that its content can change. */
export function toCursor(lastId: string): string {
  return Buffer.from(lastId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id that a page ended with, or undefined if `toCursor` did not make this text. */
export function fromCursor(cursor: string): string | undefined {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isOrderId(id) && toCursor(id) === cursor ? id : undefined;
}
