import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from './process-identity.js';

/**
 * Run by `sh -c` before it becomes the program: writes its own pid and start time to "$1". So a runner that is
 * killed at any moment leaves no process behind that is not on record.
 */
export const RECORD_AND_EXEC = [
  'record=$1; shift',
  'if [ -r /proc/$$/stat ]; then',
  '  started="$(cat /proc/sys/kernel/random/boot_id) $(set -- $(cat /proc/$$/stat); shift 21; echo "$1")"',
  'else started=$(LC_ALL=C ps -o lstart= -p $$ | xargs); fi',
  'printf "%s\\n%s\\n" $$ "$started" >"$record.new" && mv "$record.new" "$record" && exec "$@"',
].join('\n');

/** Which processes belong to this state folder: one file each, named after the resource. */
export class ProcessRecords {
  constructor(private readonly folder: string) {}

  fileOf(name: string): string {
    return join(this.folder, `${name}.pid`);
  }

  /** The recorded process, if just that one still runs. */
  async running(name: string): Promise<ProcessIdentity | undefined> {
    const recorded = await this.read(name);
    const now = recorded && identify(recorded.pid);
    return now?.started === recorded?.started ? now : undefined;
  }

  async forget(name: string): Promise<void> {
    await rm(this.fileOf(name), { force: true });
  }

  /** Names of all records, also of processes that are gone. */
  async names(): Promise<string[]> {
    const files = await readdir(this.folder).catch(() => []);
    return files
      .filter((file) => file.endsWith('.pid'))
      .map((file) => file.slice(0, -'.pid'.length))
      .sort();
  }

  private async read(name: string): Promise<ProcessIdentity | undefined> {
    const [pid, started] = (await readFile(this.fileOf(name), 'utf8').catch(() => '')).split('\n');
    return pid && started ? { pid: Number(pid), started } : undefined;
  }
}
