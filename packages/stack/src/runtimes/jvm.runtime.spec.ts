import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bareMachine } from '../spec-support/bare-machine.js';
import { mavenProblem, resolveJvmRuntimes } from './jvm.runtime.js';

const java = { program: '/jdk/bin/java', home: '/jdk', fetched: false };

const CHECKSUM = 'org.eclipse.aether.transfer.ChecksumFailureException: Checksum validation failed,';

describe('what Maven did', () => {
  it('is fine when it says nothing', () => {
    expect(mavenProblem('[INFO] BUILD SUCCESS', false)).toBeUndefined();
  });

  it('is a failure when a file came altered, about which Maven only warns', () => {
    const log = `[INFO] x
[WARNING] Could not validate integrity of download from https://repo/a.jar
${CHECKSUM} expected '0000' (REMOTE_EXTERNAL) but is actually 'fa18'
    at org.eclipse.aether.connector.basic.ChecksumValidator.validate (ChecksumValidator.java:109)`;
    expect(mavenProblem(log, false)).toBe('https://repo/a.jar came incomplete or altered');
  });

  it('is fine when a repository merely has no checksum for a file', () => {
    const log = `[WARNING] Could not validate integrity of download from https://repo/a.tar.gz
${CHECKSUM} no checksums available`;
    expect(mavenProblem(log, false)).toBeUndefined();
  });

  it.each([
    [
      '[INFO] x\n[ERROR] Could not transfer a from b -> [Help 1]\n[ERROR] To see',
      'Could not transfer a from b',
    ],
    [
      '[ERROR] Plugin p could not be resolved:\n[ERROR] \tNot resolved: p: no certification path\n[ERROR] -> [Help 1]\norg.apache',
      'Plugin p could not be resolved: Not resolved: p: no certification path',
    ],
    ['[ERROR] No space left on device\n', 'No space left on device'],
    ['', 'it ended without a word'],
  ])('is told in its own words when it failed', (log, problem) => {
    expect(mavenProblem(log, true)).toBe(problem);
  });
});

describe('a Maven that fails', () => {
  it('leaves nothing that would be taken for fetched, and its log is named', async () => {
    const machine = bareMachine();
    machine.script(
      'bin/mvn',
      `for argument; do case $argument in -Druntime.dir=*) /bin/mkdir -p "\${argument#-Druntime.dir=}/lib";; esac; done
echo "[ERROR] No space left on device"; exit 1`,
    );
    await expect(resolveJvmRuntimes(machine.context(), java)).rejects.toMatchObject({ code: 'FETCH_FAILED' });

    const cache = join(machine.folder, 'cache', 'millrace');
    expect(machine.lines.join('\n')).toContain(
      `No space left on device (see ${join(cache, 'logs', 'maven.log')})`,
    );
    expect(existsSync(join(cache, 'logs', 'maven.log'))).toBe(true);
    expect(readdirSync(cache)).toEqual(['logs']);
  });

  it('is given the Java that was found, and its own empty repository', async () => {
    const machine = bareMachine();
    machine.script('bin/mvn', 'echo "[ERROR] $JAVA_HOME $*"; exit 1');
    await resolveJvmRuntimes(machine.context(), java).catch(() => {});
    expect(machine.lines.join('\n')).toMatch(/\/jdk .*-Dmaven\.repo\.local=\S+\.repository package/);
  });
});
