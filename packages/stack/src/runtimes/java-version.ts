/** Apicurio Registry 3.3 needs it; Kafka, Connect and Debezium would run on 17. */
export const MINIMUM_JAVA = 21;

export interface JavaInstallation {
  /** The runtime's own folder, also where a launcher or shim was asked. */
  home: string;
  /** As it names itself: "25.0.1", "1.8.0_392". */
  version: string;
}

/**
 * Reads the output of `java -XshowSettings:properties -version` (it goes to standard error).
 * Undefined where it is not a Java's.
 */
export function parseJavaSettings(output: string): JavaInstallation | undefined {
  const home = /^\s*java\.home = (.+?)\s*$/m.exec(output)?.[1];
  const version = /^\s*java\.version = (\S+)/m.exec(output)?.[1];
  return home && version ? { home, version } : undefined;
}

/** 25 for "25.0.1" and "25-ea", 8 for "1.8.0_392"; NaN for what is not a version. */
export function majorVersion(version: string): number {
  return Number.parseInt(version.replace(/^1\./, ''), 10);
}

/** Newest first, by the numbers in the folders' names. */
export function newestFirst(names: string[]): string[] {
  return [...names].sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}
