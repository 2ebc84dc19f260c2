import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logHint, tailOf } from './log-tail.js';
import { type Command, ManagedProcess } from './managed-process.js';
import { part } from './part.js';
import { identify, isAlive, parseProcStat } from './process-identity.js';
import { ProcessRecords } from './process-record.js';
import { runOnce } from './run-once.js';

let folder: string;
let records: ProcessRecords;
const started: ManagedProcess[] = [];
const never = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'processes-'));
  records = new ProcessRecords(folder);
});

afterEach(async () => {
  for (const process of started.splice(0)) await process.stop();
  await rm(folder, { recursive: true });
});

const shell = (script: string): Command['argv'] => ['/bin/sh', '-c', script];

const managed = (script: string, stopTimeoutMs = 5_000, name = 'sample'): ManagedProcess => {
  const log = join(folder, `${name}.log`);
  const process = new ManagedProcess(
    { name, log, command: async () => ({ argv: shell(script) }), stopSignal: 'SIGTERM', stopTimeoutMs },
    records,
  );
  started.push(process);
  return process;
};

const POLITE = "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.05; done";
const STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

const startReady = async (sample: ManagedProcess) => {
  await sample.start(never);
  await expect.poll(() => tailOf(sample.definition.log, 1), { timeout: 5_000 }).toEqual(['ready']);
};

const recordOf = (process: ManagedProcess) => readFile(records.fileOf(process.definition.name), 'utf8');
const pidOf = async (process: ManagedProcess) => (await process.running())?.pid ?? 0;

it('reads start time and state from a line whose program name holds spaces and brackets', () => {
  const fields = ['R', ...Array.from({ length: 18 }, (_, i) => String(i)), '4711', 'rest'];
  expect(parseProcStat(`17 (a ) b) ${fields.join(' ')}`)).toEqual({ state: 'R', started: '4711' });
});

it('puts a process on record with its pid and start time', async () => {
  const sample = managed('exec sleep 60');
  expect(await sample.start(never)).toBe('started');
  const [pid, startTime] = (await recordOf(sample)).split('\n');
  expect(identify(Number(pid))).toEqual({ pid: Number(pid), started: startTime });
});

it('starts it once, also for a later command that knows only the record', async () => {
  const sample = managed('exec sleep 60');
  await sample.start(never);
  const pid = await pidOf(sample);
  const later = managed('exec sleep 60');
  expect(await later.start(never)).toBe('running');
  expect(await pidOf(later)).toBe(pid);
});

it('never signals a process that got the pid of one on record', async () => {
  const bystander = spawn('sleep', ['60']);
  try {
    await once(bystander, 'spawn');
    await writeFile(records.fileOf('sample'), `${bystander.pid}\nan earlier start\n`);
    const sample = managed('exec sleep 60');
    expect(await sample.running()).toBeUndefined();
    await expect(sample.kill('SIGKILL')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
    await sample.stop();
    expect(identify(bystander.pid ?? 0)).toBeDefined();
  } finally {
    bystander.kill('SIGKILL');
  }
});

it('leaves no process off the record, even when its starter is killed at once', async () => {
  // The starter is a program of its own, which dies by SIGKILL the moment that it has asked for the process.
  const built = (file: string) =>
    JSON.stringify(new URL(`../../dist/processes/${file}.js`, import.meta.url).href);
  const script = `
    import childProcess from 'node:child_process';
    import { syncBuiltinESMExports } from 'node:module';
    const spawn = childProcess.spawn;
    childProcess.spawn = (...request) => {
      spawn(...request);
      process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();
    const { ManagedProcess } = await import(${built('managed-process')});
    const { ProcessRecords } = await import(${built('process-record')});
    const command = async () => ({ argv: ['/bin/sh', '-c', 'exec sleep 60'] });
    const definition = { name: 'sample', log: ${JSON.stringify(join(folder, 'sample.log'))}, command };
    const records = new ProcessRecords(${JSON.stringify(folder)});
    await new ManagedProcess(definition, records).start(new AbortController().signal);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  expect((await once(starter, 'exit'))[1]).toBe('SIGKILL');
  const sample = managed('exec sleep 60');
  await expect.poll(() => sample.running(), { timeout: 5_000 }).toBeDefined();
});

it('survives the end of its starter, in a session of its own', async () => {
  const sample = managed('exec sleep 60');
  await sample.start(never);
  const session = (await readFile(`/proc/${await pidOf(sample)}/stat`, 'utf8')).split(') ')[1]?.split(' ')[3];
  expect(Number(session)).toBe(await pidOf(sample));
});

it('ends a process in order, and one that does not listen by force', async () => {
  const polite = managed(POLITE);
  const stubborn = managed(STUBBORN, 200, 'stubborn');
  for (const sample of [polite, stubborn]) {
    await startReady(sample);
    const identity = await sample.running();
    await sample.stop();
    expect(identity && isAlive(identity)).toBe(false);
  }
  expect(await tailOf(polite.definition.log, 1)).toEqual(['goodbye']);
});

it('also ends one that was halted', async () => {
  const sample = managed(POLITE);
  await startReady(sample);
  await sample.kill('SIGSTOP');
  await sample.stop();
  expect(await tailOf(sample.definition.log, 1)).toEqual(['goodbye']);
});

it('passes on nothing of the environment but where programs are', async () => {
  process.env.SECRET_OF_THE_CALLER = 'x';
  const sample = managed('env; exec sleep 60');
  await sample.start(never);
  await expect.poll(() => tailOf(sample.definition.log, 50)).not.toEqual([]);
  const names = (await tailOf(sample.definition.log, 50)).map((line) => line.split('=')[0]);
  expect(names).toContain('PATH');
  expect(names).not.toContain('SECRET_OF_THE_CALLER');
});

it('says where to read when a process ends right after its start', async () => {
  const sample = managed('echo no such disk >&2; exit 3');
  await sample.start(never);
  await expect.poll(() => sample.running()).toBeUndefined();
  await expect(sample.assertRunning()).rejects.toThrow(/sample has ended.*sample\.log.*\n.*no such disk/s);
});

it('also shows the faults that the end of a log has left behind', async () => {
  const log = join(folder, 'sample.log');
  const goodbyes = Array.from({ length: 30 }, (_, i) => `INFO closing ${i}`);
  await writeFile(log, ['ERROR no such disk', ...goodbyes].join('\n'));
  const hint = await logHint(log);
  expect(hint).toContain(`Read ${log}`);
  expect(hint).toContain('ERROR no such disk');
  expect(hint).toContain('INFO closing 29');
  expect(hint).not.toContain('INFO closing 3\n');
});

it('starts a part again whose killed predecessor had not quite gone', async () => {
  const marker = join(folder, 'second');
  const script = `[ -e ${marker} ] && exec sleep 60; touch ${marker}; echo 'FATAL: lock file "x" already exists'; exit 1`;
  const sample = part(records, {
    name: 'sample',
    log: join(folder, 'sample.log'),
    ports: [],
    address: '',
    command: async () => ({ argv: shell(script) }),
    check: async () => {},
    healthTimeoutMs: 5_000,
    stopTimeoutMs: 1_000,
    leftover: /lock file/,
  });
  started.push(sample.process);
  await sample.resource.start(never);
  await expect.poll(() => sample.resource.healthy(never).then(() => 'healthy', String)).toBe('healthy');
});

const job = (script: string, timeoutMs = 5_000, signal = never) =>
  runOnce(records, { name: 'job', log: join(folder, 'job.log'), timeoutMs, argv: shell(script) }, signal);

it('runs a command to its end, and names its log when it fails or takes too long', async () => {
  await job('exit 0');
  await expect(job('echo half way; exit 7')).rejects.toThrow(/job failed \(7\).*half way/s);
  await expect(job('exec sleep 60', 200)).rejects.toThrow('job did not end within 0.2 s');
  expect(await records.running('job')).toBeUndefined();
});

it('ends the command when it is interrupted', async () => {
  const interrupt = new AbortController();
  const run = job('exec sleep 60', 60_000, interrupt.signal);
  await expect.poll(() => records.running('job')).toBeDefined();
  interrupt.abort(new Error('interrupted'));
  await expect(run).rejects.toThrow();
  expect(await records.running('job')).toBeUndefined();
});

it('ends a run that an earlier command left behind before it runs again', async () => {
  const earlier = managed('exec sleep 60', 1_000, 'job');
  await earlier.start(never);
  const identity = await earlier.running();
  await job('exit 0');
  expect(identity && isAlive(identity)).toBe(false);
});
