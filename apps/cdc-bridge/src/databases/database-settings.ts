import { type Environment, url } from '@millrace/service-defaults';
import { z } from 'zod';

/** A database as the environment names it: `POSTGRES_<NAME>_URL` or `MONGO_<NAME>_URL` and their like. */
export interface DatabaseSettings {
  readonly kind: 'postgres' | 'mongo';
  /** As pipelines name it: NAME in lower case, hyphens for underscores. */
  readonly name: string;
  /** As the bridge's own role. */
  readonly url: string;
  /** As the role that may change the schema; only where a deploy step has asked for it. */
  readonly ownerUrl?: string;
  /** As Connect reaches it, where `${env:…}` may stand for what Connect alone knows. */
  readonly connectorUrl?: string;
}

/** Beside the bridge's own URL: `POSTGRES_<NAME>_OWNER_URL`, `POSTGRES_<NAME>_CONNECTOR_URL`. */
export type OtherUrl = 'OWNER' | 'CONNECTOR';

const VARIABLE = /^(POSTGRES|MONGO)_([A-Z0-9]+(?:_[A-Z0-9]+)*?)(?:_(OWNER|CONNECTOR))?_URL$/;

const postgresUrl = url('postgres', 'postgresql');
const mongoUrl = z
  .string()
  // Without a name, the driver would quietly use the database `test`.
  .regex(/^mongodb(\+srv)?:\/\/[^/\s]+\/[^/?\s]+(\?\S*)?$/, 'must be mongodb://…/<database name>');

/**
 * The variables of every database that the environment has a variable of, so that one that lacks another is named.
 * @param others the URLs that are needed beside the bridge's own
 */
export function databaseVariables(
  env: Environment,
  others: readonly OtherUrl[],
): Record<string, z.ZodType<string>> {
  const databases = new Map<string, string[]>();
  for (const variable of Object.keys(env)) {
    const [, kind = '', name = ''] = VARIABLE.exec(variable) ?? [];
    if (kind && env[variable]?.trim()) databases.set(name, [...(databases.get(name) ?? []), kind]);
  }
  const fields = [...databases].flatMap(([name, kinds]) =>
    [...new Set(kinds)].flatMap((kind, i) => variablesOf(kind, name, others, i > 0)),
  );
  return Object.fromEntries(fields);
}

function variablesOf(kind: string, name: string, others: readonly OtherUrl[], repeated: boolean) {
  const field = (kind === 'POSTGRES' ? postgresUrl : mongoUrl).describe(
    `the database ${nameOf(name)}, which other variables of the environment name`,
  );
  const unique = field.refine(
    () => !repeated,
    `the name ${nameOf(name)} is taken by a database of another kind`,
  );
  return ['', ...others.map((other) => `_${other}`)].map((role) => [`${kind}_${name}${role}_URL`, unique]);
}

/** The databases whose variables a configuration has. */
export function describeDatabases(config: Readonly<Record<string, unknown>>): DatabaseSettings[] {
  return Object.keys(config).flatMap((variable): DatabaseSettings[] => {
    const [, kind, name, other] = VARIABLE.exec(variable) ?? [];
    if (!kind || !name || other) return [];
    const [ownerUrl, connectorUrl] = ['OWNER', 'CONNECTOR'].map(
      (role) => config[`${kind}_${name}_${role}_URL`],
    );
    return [
      {
        kind: kind === 'POSTGRES' ? 'postgres' : 'mongo',
        name: nameOf(name),
        url: String(config[variable]),
        ...(ownerUrl !== undefined && { ownerUrl: String(ownerUrl) }),
        ...(connectorUrl !== undefined && { connectorUrl: String(connectorUrl) }),
      },
    ];
  });
}

function nameOf(variablePart: string): string {
  return variablePart.toLowerCase().replaceAll('_', '-');
}
