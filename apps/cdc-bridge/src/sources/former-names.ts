import type { ConnectorConfig } from '@millrace/messaging';
import { connectorName, slotName } from '../names/bridge-names.js';
import type { Source } from './source.js';

/** Settings that are the same for two connectors of one database. */
const ADDRESS = [
  'connector.class',
  'database.hostname',
  'database.port',
  'database.dbname',
  'mongodb.connection.string',
  'capture.target',
];

/** A database of the environment, and the settings that its connector would have. */
export interface NamedSource extends Pick<Source, 'kind' | 'name'> {
  readonly config: ConnectorConfig;
}

/**
 * The connectors of databases that the environment has under another name by now, a line each: nobody else stops them.
 * A connector of a database that it does not have at all may be another bridge's.
 * @param connectors every one that Connect knows, by its name
 */
export function formerNames(
  connectors: ReadonlyMap<string, ConnectorConfig>,
  sources: readonly NamedSource[],
): string[] {
  const suffix = connectorName('');
  const others = [...connectors].filter(
    ([name]) => name.endsWith(suffix) && !sources.some((source) => connectorName(source.name) === name),
  );
  return others.flatMap(([connector, config]) => {
    const source = sources.find((each) =>
      ADDRESS.every((setting) => each.config[setting] === config[setting]),
    );
    if (!source) return [];
    const slot = slotName(connector.slice(0, -suffix.length));
    const rest = source.kind === 'postgres' ? `, and then its slot and its publication, both ${slot}` : '';
    return [
      `${source.name}: the connector ${connector} reads this database too, by a name that the environment does not have: remove it from Connect${rest}`,
    ];
  });
}
