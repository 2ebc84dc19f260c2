import type { z } from 'zod';
import { ConfigError, type ConfigFault } from './config.error.js';

/** Environment variables as `process.env` holds them. */
export type Environment = Record<string, string | undefined>;

/**
 * Reads a configuration from environment variables. An empty or blank variable counts as not set.
 *
 * @param schema one key per variable; `.describe()` texts are shown when a variable is missing
 * @returns the parsed values, frozen
 * @throws ConfigError that lists every fault by variable name and never shows a value
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Environment = process.env,
): Readonly<z.output<Schema>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (env[name]?.trim() ? [[name, env[name]]] : [])),
  );
  const result = schema.safeParse(given);
  if (result.success) {
    return Object.freeze(result.data);
  }
  throw new ConfigError(faultsOf(schema, given, result.error.issues));
}

function faultsOf(schema: z.ZodObject, given: object, issues: z.core.$ZodIssue[]): ConfigFault[] {
  const faults = new Map<string, ConfigFault>();
  for (const issue of issues) {
    const variable = String(issue.path[0] ?? 'configuration');
    const known = variable in schema.shape;
    const problem =
      known && !(variable in given)
        ? notSet(schema.shape[variable] as z.ZodType)
        : `is wrong: ${issue.message}`;
    faults.set(`${variable} ${problem}`, { variable, problem });
  }
  return [...faults.values()];
}

function notSet(field: z.ZodType): string {
  return field.description ? `is not set: ${field.description}` : 'is not set';
}
