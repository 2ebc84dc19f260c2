import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BareMachine, bareMachine } from '../spec-support/bare-machine.js';
import { resolveJava } from './java.runtime.js';

/** A `java` that says what a real one says, at `<home>/bin/java`. */
function installJava(machine: BareMachine, home: string, version: string): string {
  const absolute = join(machine.folder, home);
  machine.script(
    `${home}/bin/java`,
    `echo "    java.home = ${absolute}" >&2; echo "    java.version = ${version}" >&2; echo asked >> ${machine.folder}/asked`,
  );
  return absolute;
}

describe('which Java is used', () => {
  it('is JAVA_HOME’s, then the path’s, then the newest of the system’s folders', async () => {
    const machine = bareMachine();
    const inHome = installJava(machine, 'mine', '21.0.2');
    const onPath = installJava(machine, 'sdk', '22.0.1');
    const older = installJava(machine, 'jvms/jdk-23', '23');
    const newer = installJava(machine, 'jvms/jdk-25', '25.0.1');
    const javaFolders = [join(machine.folder, 'jvms')];
    const env = { ...machine.env, JAVA_HOME: inHome, PATH: join(onPath, 'bin') };
    const homeOf = async (changed: NodeJS.ProcessEnv) =>
      (await resolveJava(machine.context({ env: { ...env, ...changed }, javaFolders }))).home;

    expect(await homeOf({})).toBe(inHome);
    expect(await homeOf({ JAVA_HOME: undefined })).toBe(onPath);
    expect(await homeOf({ JAVA_HOME: undefined, PATH: '' })).toBe(newer);
    expect(older).not.toBe(newer);
  });

  it('passes over one that is too old, broken, or gone since', async () => {
    const machine = bareMachine();
    const old = installJava(machine, 'old', '17.0.15');
    machine.script('bin/java', 'echo "Unable to locate a Java Runtime." >&2; exit 1');
    const good = installJava(machine, 'jvms/jdk-21', '21');
    const found = await resolveJava(
      machine.context({
        env: { ...machine.env, JAVA_HOME: old },
        javaFolders: [join(machine.folder, 'jvms'), '/no/such/folder'],
      }),
    );
    expect(found).toEqual({ program: join(good, 'bin', 'java'), home: good, fetched: false });
  });

  it('leads from a version manager’s shim to the Java behind it', async () => {
    const machine = bareMachine();
    const real = installJava(machine, 'versions/21', '21');
    machine.script('bin/java', `exec ${real}/bin/java "$@"`);
    expect((await resolveJava(machine.context())).program).toBe(join(real, 'bin', 'java'));
  });

  it('is asked only once: a second start runs no Java to learn its version', async () => {
    const machine = bareMachine();
    installJava(machine, 'mine', '21');
    const context = machine.context({ env: { ...machine.env, JAVA_HOME: join(machine.folder, 'mine') } });
    await resolveJava(context);
    rmSync(join(machine.folder, 'asked'), { force: true });
    await resolveJava(context);
    expect(() => rmSync(join(machine.folder, 'asked'))).toThrow('ENOENT');
  });

  it('is one clear sentence with the fix where there is none and no pip', async () => {
    const machine = bareMachine();
    installJava(machine, 'old', '17.0.15');
    const context = machine.context({ env: { ...machine.env, JAVA_HOME: join(machine.folder, 'old') } });
    const error = await resolveJava(context).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'NO_JAVA' });
    expect(String(error)).toContain('17.0.15');
    expect(String(error)).toContain('there is no Python 3 with pip');
    expect(String(error)).toContain(
      'install Java 21 or later and set JAVA_HOME, or install Python 3 with pip',
    );
    expect(String(error)).not.toContain('\n');
  });
});
