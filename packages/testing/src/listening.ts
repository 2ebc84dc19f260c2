import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTEN = '0A';

/** Addresses, as the kernel writes them, on which a process listens for TCP (proc_net(5)). */
export const listeningAddresses = async (pid: number): Promise<string[]> => {
  const fds = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  );
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9] ?? ''))
    .map((fields) => (fields[1] ?? '').split(':')[0] ?? '');
};

/** 127.0.0.1, plain and inside IPv6. */
export const LOOPBACK = ['0100007F', '0000000000000000FFFF00000100007F'];
