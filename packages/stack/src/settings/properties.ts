import type { Env } from './stack-env.js';

/** CONNECT_A_B=x and A_B=x as the worker's setting a.b=x: what the Debezium image makes of its variables. */
export const workerProperties = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name
        .replace(/^CONNECT_/, '')
        .toLowerCase()
        .replaceAll('_', '.'),
      value,
    ]),
  );

/** Java properties, one `key=value` a line (java.util.Properties#load): backslashes doubled, no line breaks. */
export const formatProperties = (properties: Readonly<Record<string, string | number>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${escapeValue(String(value))}\n`)
    .join('');

const escapeValue = (value: string): string => {
  if (/[\r\n]/.test(value)) throw new TypeError('A property may not hold a line break.');
  return value.replaceAll('\\', '\\\\');
};
