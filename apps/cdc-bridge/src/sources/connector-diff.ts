import type { ConnectorConfig } from '@millrace/messaging';

/** Connect adds it to what it was given. */
const ADDED = 'name';
const SECRET = /password|secret|credential|keytab|passphrase/i;

/** What would change, a line for each setting: `+` new, `-` gone, `~` another value. Secrets are never shown. */
export function connectorDiff(current: ConnectorConfig | undefined, wanted: ConnectorConfig): string[] {
  const names = new Set([...Object.keys(current ?? {}), ...Object.keys(wanted)]);
  return [...names].sort().flatMap((name) => {
    const [from, to] = [current?.[name], wanted[name]];
    if (name === ADDED || from === to) return [];
    if (from === undefined) return [`+ ${name}=${shown(name, to)}`];
    if (to === undefined) return [`- ${name}=${shown(name, from)}`];
    return [`~ ${name}=${shown(name, from)} → ${shown(name, to)}`];
  });
}

function shown(name: string, value = ''): string {
  if (SECRET.test(name) && !/^\$\{[^}]*\}$/.test(value)) return '***';
  return value.replace(/:\/\/[^/@]*@/g, '://***@');
}
