import type { Log } from '@millrace/messaging';
import type { DatabaseSettings } from '../databases/database-settings.js';
import type { OpenDatabases } from '../databases/open-databases.js';
import type { Step } from '../databases/step.js';
import type { LoadedPipelines } from '../runner/load-pipelines.js';

export interface PreparationOptions extends LoadedPipelines {
  readonly settings: readonly Required<DatabaseSettings>[];
  readonly databases: OpenDatabases;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly connectUrl: string;
  /** As Connect reaches it. */
  readonly connectRegistryUrl: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Takes what is about to be done, a line each. */
  tell(line: string): void;
}

/** @throws Error where the environment does not name the database */
export function settingsOf(
  { settings }: Pick<PreparationOptions, 'settings'>,
  name: string,
): Required<DatabaseSettings> {
  const found = settings.find((database) => database.name === name);
  if (!found) throw new Error(`the environment names no database ${name}`);
  return found;
}

type Tells = Pick<PreparationOptions, 'tell'>;

export function tellLines({ tell }: Tells, where: string, lines: readonly string[]): void {
  for (const line of lines) tell(`${where}: ${line}`);
}

export function tellSteps(options: Tells, where: string, steps: readonly Step[]): void {
  tellLines(
    options,
    where,
    steps.map(({ what }) => what),
  );
}
