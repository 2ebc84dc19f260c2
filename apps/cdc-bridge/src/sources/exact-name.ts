/**
 * A regular expression, as Debezium's lists and signals take them, for precisely this name. Debezium splits lists at
 * commas, matches whole names, and ignores case unless told not to (docs: `table.include.list`; io.debezium.util.Strings).
 */
export function exactName(name: string): string {
  const escaped = [...name].map((char) =>
    /[A-Za-z0-9_]/.test(char) ? char : `\\x{${char.codePointAt(0)?.toString(16)}}`,
  );
  return `(?-i)${escaped.join('')}`;
}

export function exactNames(names: readonly string[]): string {
  return names.map(exactName).join(',');
}
