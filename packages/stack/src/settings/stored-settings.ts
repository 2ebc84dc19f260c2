import type { ServiceSettings } from '../services/service.js';
import { readJsonFile, writeJsonFile } from '../state/json-file.js';

/** What a stack keeps from one command to the next. */
export interface StoredSettings {
  readonly portBase: number;
  readonly services: Readonly<Record<string, ServiceSettings>>;
}

export const readStoredSettings = async (file: string): Promise<StoredSettings | undefined> =>
  (await readJsonFile(file)) as StoredSettings | undefined;

export const writeStoredSettings = (file: string, settings: StoredSettings): Promise<void> =>
  writeJsonFile(file, settings);
