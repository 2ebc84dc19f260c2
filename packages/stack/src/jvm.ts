import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** How long a JVM may take to end: once, it writes its class-data archive then. */
export const JVM_STOP_MS = 60_000;

/**
 * How JVMs compile. `quick`: at once and simply, so that a stack is up soon. `full`: also with the optimising compiler,
 * which takes minutes of two cores, and then less of the processor for the same work.
 */
export const JITS = ['quick', 'full'] as const;
export type Jit = (typeof JITS)[number];
export const DEFAULT_JIT: Jit = 'quick';

export interface JvmOptions {
  readonly java: string;
  readonly heapMb: number;
  readonly jit: Jit;
  /** Where it puts temporary files: not all are removed by those who made them. */
  readonly tmp: string;
  /** `-jar FILE`, or `-cp PATH MAIN`. */
  readonly program: readonly string[];
  readonly options?: readonly string[];
  readonly archive: ClassArchive;
}

/**
 * Loaded classes, kept from an earlier run (JEP 350): half the work of starting. The JVM itself leaves an archive
 * alone that is missing, cut, or of another Java or class path.
 */
export interface ClassArchive {
  readonly folder: string;
  /** What of the stack it is for: programs on the same class path load different classes. */
  readonly of: 'kafka' | 'connect' | 'registry';
  /** Whether this JVM writes it, when it ends, where there is none that fits: one of those that share it. */
  readonly write: boolean;
}

/** A JVM that starts quickly and stays small: three brokers, Connect and the registry share one machine. */
export const jvm = ({
  java,
  heapMb,
  jit,
  tmp,
  program,
  options = [],
  archive,
}: JvmOptions): [string, ...string[]] => [
  java,
  `-Xms${Math.round(heapMb / 2)}m`,
  `-Xmx${heapMb}m`,
  '-XX:+UseSerialGC',
  ...(jit === 'quick' ? ['-XX:TieredStopAtLevel=1'] : []),
  '-XX:+ExitOnOutOfMemoryError',
  '-Xss512k',
  '-XX:MaxDirectMemorySize=64m',
  '-Djava.awt.headless=true',
  `-Djava.io.tmpdir=${tmp}`,
  `-XX:SharedArchiveFile=${archiveFile(archive, java, program)}`,
  ...(archive.write ? ['-XX:+AutoCreateSharedArchive'] : []),
  '-Xlog:cds=off,aot=off,class+path=off',
  ...options,
  ...program,
];

const archiveFile = (
  { folder, of }: ClassArchive,
  java: string,
  [, path = '']: readonly string[],
): string => {
  const key = createHash('sha256').update(`${java}\n${path}`).digest('hex').slice(0, 16);
  return join(folder, `${of}-${key}.jsa`);
};
