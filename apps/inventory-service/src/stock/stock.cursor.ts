import { z } from 'zod';

const position = z.strictObject({ after: z.string().min(1) });

/** Where the next page begins, as text that clients hand back and need not understand. */
export function encodeCursor(after: string): string {
  return Buffer.from(JSON.stringify({ after })).toString('base64url');
}

/** @returns the SKU after which the page begins, undefined when `cursor` is none of ours */
export function decodeCursor(cursor: string): string | undefined {
  try {
    const { after } = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return encodeCursor(after) === cursor ? after : undefined;
  } catch {
    return undefined;
  }
}
