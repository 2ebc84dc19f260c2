import { createHash } from 'node:crypto';
import { join } from 'node:path';

export interface JvmOptions {
  readonly java: string;
  readonly heapMb: number;
  /** `-jar FILE`, or `-cp PATH MAIN`. */
  readonly program: readonly string[];
  readonly options?: readonly string[];
  /** Folder of class-data archives, and whether this JVM writes the one for its program when it ends. */
  readonly archive: { readonly folder: string; readonly write: boolean };
}

/** A JVM that starts quickly and stays small: three brokers, Connect and the registry share one machine. */
export const jvm = ({ java, heapMb, program, options = [], archive }: JvmOptions): [string, ...string[]] => [
  java,
  `-Xms${Math.round(heapMb / 2)}m`,
  `-Xmx${heapMb}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Xss512k',
  '-XX:MaxDirectMemorySize=64m',
  '-Djava.awt.headless=true',
  `-XX:SharedArchiveFile=${archiveFile(archive.folder, java, program)}`,
  ...(archive.write ? ['-XX:+AutoCreateSharedArchive'] : []),
  '-Xlog:cds=off,aot=off,class+path=off',
  ...options,
  ...program,
];

/**
 * Loaded classes, kept from an earlier run (JEP 350): half the work of starting. The JVM itself leaves an archive
 * alone that is missing, cut, or of another Java or class path.
 */
const archiveFile = (folder: string, java: string, [flag = '', path = '']: readonly string[]): string => {
  const key = createHash('sha256').update(`${java}\n${flag}\n${path}`).digest('hex').slice(0, 16);
  return join(folder, `${key}.jsa`);
};
