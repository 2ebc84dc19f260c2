import { DEFAULT_JIT, type Jit } from '../jvm.js';
import type { ServiceSettings } from '../services/service.js';
import { readJsonFile, writeJsonFile } from '../state/json-file.js';

/** What a stack keeps from one command to the next. */
export interface StoredSettings {
  readonly portBase: number;
  readonly jit: Jit;
  readonly services: Readonly<Record<string, ServiceSettings>>;
}

export const readStoredSettings = async (file: string): Promise<StoredSettings | undefined> => {
  const stored = (await readJsonFile(file)) as StoredSettings | undefined;
  return stored && { ...stored, jit: stored.jit ?? DEFAULT_JIT };
};

export const writeStoredSettings = (file: string, settings: StoredSettings): Promise<void> =>
  writeJsonFile(file, settings);
