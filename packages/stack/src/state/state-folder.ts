import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder that holds one stack: only its owner may enter, for it holds credentials and data. */
export class StateFolder {
  readonly settings: string;
  readonly stackFile: string;
  readonly lock: string;
  readonly records: string;
  readonly logs: string;
  readonly conf: string;
  readonly data: string;
  readonly tmp: string;

  constructor(readonly path: string) {
    this.settings = join(path, 'settings.json');
    this.stackFile = join(path, 'stack.json');
    this.lock = join(path, 'lock');
    this.records = join(path, 'run');
    this.logs = join(path, 'logs');
    this.conf = join(path, 'conf');
    this.data = join(path, 'data');
    this.tmp = join(path, 'tmp');
  }

  log(name: string): string {
    return join(this.logs, `${name}.log`);
  }

  async create(): Promise<void> {
    for (const folder of [this.path, this.records, this.logs, this.conf, this.data, this.tmp]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
  }

  async removeData(): Promise<void> {
    for (const folder of [this.data, this.tmp]) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
