import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { allParts, type Layout, layOut, partNamed } from './layout.js';
import { enterableFolder } from './postgres/unprivileged.js';
import { assertEnough, readMachine } from './preflight/machine.js';
import { assertPortsFree } from './preflight/ports.js';
import { leftover } from './processes/leftover.js';
import type { Part } from './processes/part.js';
import { ProcessRecords } from './processes/process-record.js';
import { archiveFolder, Programs } from './programs.js';
import { assertKept, decideSettings } from './settings/decide-settings.js';
import type { StackEndpoints } from './settings/endpoints.js';
import { movePorts, portOf, readStackEnv } from './settings/stack-env.js';
import { readStoredSettings, type StoredSettings, writeStoredSettings } from './settings/stored-settings.js';
import { StackError } from './stack.error.js';
import type { StackOptions, UpOptions, UpResult } from './stack.options.js';
import { type PartStatus, statusOf } from './stack-status.js';
import { withCommandLock } from './state/command-lock.js';
import { writeJsonFile } from './state/json-file.js';
import { StateFolder } from './state/state-folder.js';
import { resourcesOf } from './tree/resource.js';
import { type OnProgress, startTree } from './tree/start-tree.js';
import { stopTree } from './tree/stop-tree.js';

/** A stack of real processes on this machine; opening it starts nothing. */
export const openStack = (options: StackOptions): Stack => new Stack(options);

export class Stack {
  private readonly state: StateFolder;
  private readonly records: ProcessRecords;
  private readonly onProgress: OnProgress;
  private readonly programs: Programs;

  constructor(private readonly options: StackOptions) {
    this.state = new StateFolder(resolve(options.stateDir ?? join(options.root, '.millrace')));
    this.records = new ProcessRecords(this.state.records);
    this.onProgress = options.onProgress ?? (() => {});
    this.programs = new Programs(this.onProgress, options.findRuntimes);
  }

  /**
   * Starts what is not running, runs the deploy steps, and writes `stack.json`. When it fails or is interrupted,
   * what it started is stopped.
   * @throws StackError, or RuntimeError where a program cannot be had.
   */
  async up({ signal = new AbortController().signal, infraOnly = false }: UpOptions = {}): Promise<UpResult> {
    await this.state.create();
    return withCommandLock(this.state.lock, async () => {
      const settings = await this.settle();
      const layout = await this.layOut(settings);
      const wanted = infraOnly ? layout.infrastructure : allParts(layout);
      const running = await this.runningNames();
      const missing = wanted.filter(({ name }) => !running.includes(name));
      if (missing.length > 0) await this.preflight(missing, running.length === 0, signal);
      await writeStoredSettings(this.state.settings, settings);
      await this.stopLeftovers(layout);
      await this.startOrUndo(infraOnly ? layout.infrastructureTree : layout.wholeTree, missing, signal);
      return { endpoints: await this.writeStackFile(layout), started: missing.map(({ name }) => name) };
    });
  }

  /** Stops every process of this stack; `volumes` removes the data as well. */
  async down({ volumes = false }: { volumes?: boolean } = {}): Promise<{ stopped: readonly string[] }> {
    await this.state.create();
    return withCommandLock(this.state.lock, async () => {
      const running = await this.runningNames();
      const settings = await readStoredSettings(this.state.settings);
      if (settings) {
        const layout = await this.layOut(settings);
        await this.stopLeftovers(layout);
        await stopTree(layout.wholeTree, {
          onProgress: this.onProgress,
          only: (name) => running.includes(name),
        });
      }
      await rm(this.state.stackFile, { force: true });
      if (volumes) await this.removeData();
      return { stopped: running };
    });
  }

  /** Names of all that `up` would go through, in the order of the tree. */
  async plan({ infraOnly = false }: Pick<UpOptions, 'infraOnly'> = {}): Promise<string[]> {
    const env = await readStackEnv(this.options.root);
    const stored = await readStoredSettings(this.state.settings);
    const wishes = { ...this.options, portBase: portOf(env, 'PORT_BASE') };
    const layout = await this.layOut(await decideSettings(wishes, stored, env, this.state.path));
    const tree = infraOnly ? layout.infrastructureTree : layout.wholeTree;
    return [Programs.NAME, ...resourcesOf(tree).map(({ name }) => name)];
  }

  /** Addresses and processes as they are now. @throws StackError NOT_RUNNING where there was never an `up`. */
  async endpoints(): Promise<StackEndpoints> {
    return this.describe(await this.currentLayout());
  }

  /** Every part as it is now; none where there was never an `up`. */
  async status(): Promise<PartStatus[]> {
    const settings = await readStoredSettings(this.state.settings);
    return settings ? Promise.all(allParts(await this.layOut(settings)).map(statusOf)) : [];
  }

  /** Every log file by the name of what wrote it. */
  async logs(): Promise<Record<string, string>> {
    const files = await readdir(this.state.logs).catch(() => []);
    const names = files.filter((file) => file.endsWith('.log')).map((file) => basename(file, '.log'));
    return Object.fromEntries(names.sort().map((name) => [name, this.state.log(name)]));
  }

  /** Starts one part and waits until it is healthy. */
  async start(name: string, signal?: AbortSignal): Promise<void> {
    const layout = await this.currentLayout();
    await startTree(partNamed(layout, name).resource, { ...(signal && { signal }) });
    await this.writeStackFile(layout);
  }

  /** Asks one part to end, and returns once it is gone. */
  async stop(name: string): Promise<void> {
    await partNamed(await this.currentLayout(), name).resource.stop();
  }

  /** Sends one part's process a signal; after SIGKILL returns once it is gone. */
  async kill(name: string, signal: NodeJS.Signals): Promise<void> {
    await partNamed(await this.currentLayout(), name).process.kill(signal);
  }

  /** Memory of all processes, in bytes: RSS, for Postgres with its backends PSS. */
  async residentBytes(): Promise<{ total: number; byProcess: Record<string, number> }> {
    const each = await Promise.all(
      allParts(await this.currentLayout()).map(async (part) => {
        const running = await part.process.running();
        return [part.name, running ? await part.memory(running.pid) : 0] as const;
      }),
    );
    return { total: each.reduce((sum, [, bytes]) => sum + bytes, 0), byProcess: Object.fromEntries(each) };
  }

  /** What this `up` runs with. A stack that runs keeps its ports and its compiler. */
  private async settle(): Promise<StoredSettings> {
    const stored = await readStoredSettings(this.state.settings);
    const env = await readStackEnv(this.options.root);
    const settings = await decideSettings(this.options, stored, env, this.state.path);
    if (stored && (await this.runningNames()).length > 0) assertKept(stored, settings);
    return settings;
  }

  /** All that can be known to go wrong before anything starts. */
  private async preflight(
    missing: readonly Part[],
    nothingRuns: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const machine = this.options.readMachine ?? readMachine;
    await assertPortsFree(missing.flatMap(({ name, ports }) => ports.map((port) => ({ port, by: name }))));
    if (nothingRuns) assertEnough(await machine(this.state.path), this.state.path);
    await this.programs.get(signal);
    await mkdir(archiveFolder(), { recursive: true });
  }

  private async startOrUndo(
    tree: Layout['wholeTree'],
    missing: readonly Part[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await startTree(tree, { signal, onProgress: this.onProgress });
    } catch (error) {
      const running = await this.runningNames();
      const own = new Set(missing.map(({ name }) => name).filter((name) => running.includes(name)));
      await stopTree(tree, { onProgress: this.onProgress, only: (name) => own.has(name) });
      throw error;
    }
  }

  private async layOut(settings: StoredSettings): Promise<Layout> {
    const { root, name = 'dev', deploySteps = [] } = this.options;
    const context = {
      root,
      state: this.state,
      records: this.records,
      env: movePorts(await readStackEnv(root), settings.portBase),
      runtimes: () => this.programs.get(),
      jit: settings.jit,
      archives: archiveFolder(),
    };
    return layOut(context, name, settings.services, deploySteps);
  }

  private async currentLayout(): Promise<Layout> {
    const settings = await readStoredSettings(this.state.settings);
    if (settings) return this.layOut(settings);
    throw new StackError('NOT_RUNNING', `There is no stack in ${this.state.path}: start it with stack up.`);
  }

  private async runningNames(): Promise<string[]> {
    const names = await this.records.names();
    const running = await Promise.all(names.map((name) => this.records.running(name)));
    return names.filter((_, i) => running[i]);
  }

  /** An instance too many, a service that was renamed, a migration that outlived its command. */
  private async stopLeftovers(layout: Layout): Promise<void> {
    const known = new Set(allParts(layout).map(({ name }) => name));
    const names = (await this.runningNames()).filter((name) => !known.has(name));
    await Promise.all(names.map((name) => leftover(this.records, name).stop()));
  }

  private async removeData(): Promise<void> {
    await rm(enterableFolder(join(this.state.data, 'postgres')), { recursive: true, force: true });
    await this.state.removeData();
  }

  private async describe(layout: Layout): Promise<StackEndpoints> {
    const processes: Record<string, { pid: number; log: string }> = {};
    for (const { name, process } of allParts(layout)) {
      const running = await process.running();
      if (running) processes[name] = { pid: running.pid, log: process.definition.log };
    }
    return { ...layout.at, processes };
  }

  private async writeStackFile(layout: Layout): Promise<StackEndpoints> {
    const endpoints = await this.describe(layout);
    await writeJsonFile(this.state.stackFile, endpoints);
    return endpoints;
  }
}
