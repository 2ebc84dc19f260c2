/**
 * The names of a key's columns, as fields of `_id`.
 * @throws Error where MongoDB takes no such field: a key of several columns becomes a document
 */
export function refuseKeyNames(names: readonly string[]): void {
  const refused = names.length > 1 ? names.find((name) => name.startsWith('$')) : undefined;
  if (refused === undefined) return;
  throw new Error(
    `the key would have a field ${refused} in _id, which MongoDB does not take: rename the column`,
  );
}
