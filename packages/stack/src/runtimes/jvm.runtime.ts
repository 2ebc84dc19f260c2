import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Java } from './java.runtime.js';
import { installedMaven, pinnedMaven } from './maven.runtime.js';
import { RuntimeError } from './runtime.error.js';
import { pinKey, type RuntimeContext } from './runtime-context.js';
import { writeTrustStore } from './trust-store.js';

const TIMEOUT_MS = 20 * 60_000;
const TRUST_STORE = '.trust.jks';

export interface JvmRuntimes {
  /** Class path of the brokers and of Kafka's tools. */
  kafkaClasspath: string;
  /** Class path of a Kafka Connect worker. */
  connectClasspath: string;
  /** Kafka Connect's `plugin.path`. */
  connectPluginPath: string;
  /** The folder of Apicurio Registry's `quarkus-run.jar`. */
  registryDir: string;
}

/**
 * Kafka, Connect, Debezium's connectors and the registry, as `infra/jvm/pom.xml` pins them.
 * @throws RuntimeError FETCH_FAILED, naming Maven's log.
 */
export async function resolveJvmRuntimes(context: RuntimeContext, java: Java): Promise<JvmRuntimes> {
  const pom = join(context.infraDir, 'jvm', 'pom.xml');
  const folder = await context.cache.ensure({
    name: `jvm-${pinKey(pom)}`,
    title: 'Kafka, Connect, Debezium and the registry',
    megabytes: 800,
    fill: (target) => fetchByMaven(context, java, pom, target),
  });
  const libraries = join(folder, 'lib', '*');
  return {
    kafkaClasspath: libraries,
    connectClasspath: libraries,
    connectPluginPath: join(folder, 'plugins'),
    registryDir: join(folder, 'registry'),
  };
}

/** A Maven that is installed but fails (too old, a broken mirror) gets a second try with the pinned one. */
async function fetchByMaven(context: RuntimeContext, java: Java, pom: string, target: string): Promise<void> {
  const installed = installedMaven(context);
  if (installed) {
    try {
      return await runMaven(context, installed, java, pom, target);
    } catch (error) {
      context.signal.throwIfAborted();
      context.report(`Maven: ${installed} failed, trying the pinned one`);
      context.report(`Maven: ${(error as Error).message}`);
    }
  }
  await runMaven(context, await pinnedMaven(context), java, pom, target);
}

/**
 * A repository of its own inside the temporary folder: what a killed Maven leaves half done is thrown
 * away with it, and a damaged file in the user's own repository cannot get in.
 */
async function runMaven(
  context: RuntimeContext,
  maven: string,
  java: Java,
  pom: string,
  target: string,
): Promise<void> {
  context.report(
    'Kafka, Connect, Debezium and the registry: fetching them with Maven (280 MB, once per user)',
  );
  const repository = join(target, '.repository');
  const log = join(context.cache.root, 'logs', 'maven.log');
  await mkdir(dirname(log), { recursive: true });
  await rm(log, { force: true });
  const env = await mavenEnvironment(context, java, target);
  for (const profile of ['stack', 'converter']) {
    const { failed } = await execa(
      maven,
      [
        ...[
          '--batch-mode',
          '--no-transfer-progress',
          '--errors',
          '--file',
          pom,
          '--activate-profiles',
          profile,
        ],
        ...[`-Druntime.dir=${target}`, `-Dmaven.repo.local=${repository}`, 'package'],
      ],
      {
        cwd: target,
        env,
        extendEnv: false,
        stdin: 'ignore',
        stdout: { file: log, append: true },
        stderr: { file: log, append: true },
        timeout: TIMEOUT_MS,
        reject: false,
        cancelSignal: context.signal,
      },
    );
    context.signal.throwIfAborted();
    const problem = mavenProblem(await readFile(log, 'utf8'), failed);
    if (problem) {
      throw new RuntimeError(
        'FETCH_FAILED',
        `Maven could not fetch what infra/jvm/pom.xml pins: ${problem} (see ${log}).`,
      );
    }
  }
  await rm(repository, { recursive: true });
  await rm(join(target, 'markers'), { recursive: true, force: true });
  await rm(join(target, TRUST_STORE), { force: true });
}

/** An installed Java trusts whom its owner chose; ours is told whom this machine trusts. */
async function mavenEnvironment(
  context: RuntimeContext,
  java: Java,
  target: string,
): Promise<NodeJS.ProcessEnv> {
  const env = { ...context.env, JAVA_HOME: java.home };
  if (!java.fetched) return env;
  await writeTrustStore(join(target, TRUST_STORE));
  // By its name alone, Maven running in the folder: MAVEN_OPTS cannot hold a path with a space.
  const options = `-Djavax.net.ssl.trustStore=${TRUST_STORE} -Djavax.net.ssl.trustStoreType=JKS`;
  return { ...env, MAVEN_OPTS: `${options} ${context.env.MAVEN_OPTS ?? ''}`.trim() };
}

/**
 * What went wrong, in Maven's own words. A file whose checksum differs only makes Maven warn (and being
 * strict would refuse files that a mirror offers without a checksum), so that counts as failed too.
 */
export function mavenProblem(log: string, failed: boolean): string | undefined {
  const altered =
    /integrity of download from (\S+)\s+\S*ChecksumFailureException: Checksum validation failed, expected/.exec(
      log,
    );
  if (altered) return `${altered[1]} came incomplete or altered`;
  if (!failed) return undefined;
  const said = /^\[ERROR\] ([\s\S]+?)\s*(?:-> \[Help 1\]|$(?!\s*\[ERROR\] \t))/m.exec(log)?.[1];
  return said?.replace(/\s*\n(?:\[ERROR\])?\s*/g, ' ').slice(0, 500) ?? 'it ended without a word';
}
