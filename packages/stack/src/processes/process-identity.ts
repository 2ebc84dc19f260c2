import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, told apart from any later one that gets the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: boot id and start time in clock ticks since boot. Elsewhere: the start time that `ps` shows. */
  readonly started: string;
}

/** The start time and state letter in a line of /proc/PID/stat (proc_pid_stat(5)); the name may hold spaces. */
export const parseProcStat = (line: string): { started: string; state: string } => {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', started: fields[19] ?? '' };
};

/** Identity of a process that runs now, undefined where there is none: one that only waits to be reaped is gone. */
export const identify = (pid: number): ProcessIdentity | undefined =>
  process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);

/** Whether just this process still runs, not another one with its pid. */
export const isAlive = (identity: ProcessIdentity): boolean =>
  identify(identity.pid)?.started === identity.started;

const identifyByProc = (pid: number): ProcessIdentity | undefined => {
  try {
    const { started, state } = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return state === 'Z' || state === 'X' ? undefined : { pid, started: `${bootId()} ${started}` };
  } catch {
    return undefined;
  }
};

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

const identifyByPs = (pid: number): ProcessIdentity | undefined => {
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    const [state, ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      env,
      encoding: 'utf8',
      timeout: 5_000,
    })
      .trim()
      .split(/\s+/);
    return state?.startsWith('Z') ? undefined : { pid, started: started.join(' ') };
  } catch {
    return undefined;
  }
};
