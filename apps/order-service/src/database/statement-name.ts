import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/**
 * A name for a statement's text, so that each connection parses and plans it once. There are as many names as the
 * code has statements, times the page sizes that lists are asked for.
 */
export function statementName({ sql }: { readonly sql: string }): string {
  const known = names.get(sql);
  if (known) return known;
  const name = createHash('sha256').update(sql).digest('base64url');
  names.set(sql, name);
  return name;
}
