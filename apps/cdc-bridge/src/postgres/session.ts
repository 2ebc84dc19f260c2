import { POSTGRES_SESSION } from '../values/postgres-type.js';

/** The `options` of a connection: the settings that texts of values depend on, and others besides. */
export function sessionOptions(others: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...POSTGRES_SESSION, ...others })
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}
