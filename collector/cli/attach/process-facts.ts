/** What the system tells of a process that is to be attached to: whether SIGUSR1 would end it, and where it listens. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CliError } from '../cli-error';

const SIGUSR1_BIT = 1n << 9n;
/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

/** Throws a CliError: no such process, not ours, or one that would die of SIGUSR1. */
export function checkProcess(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const isForeign = (error as NodeJS.ErrnoException).code === 'EPERM';
    throw new CliError(
      'ERR_CLI_ATTACH',
      isForeign ? `process ${pid} belongs to another user` : `there is no process ${pid}`,
      isForeign ? 'attach as that user' : 'pgrep -a node lists those there are',
    );
  }
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1];
  if (caught === undefined || BigInt(`0x${caught}`) & SIGUSR1_BIT) return;
  throw new CliError(
    'ERR_CLI_ATTACH',
    `process ${pid} does not wait for SIGUSR1, which would end it`,
    'it is no Node.js, or was started with --disable-sigusr1',
  );
}

/** Ports that a process listens on, on any address; null where the system does not tell. */
export function listeningPorts(pid: number): number[] | null {
  const inodes = new Set<string>();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  } catch {
    return null;
  }
  const table = ['tcp', 'tcp6'].map((name) => textOf(`/proc/${pid}/net/${name}`) ?? '').join('\n');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === LISTENING && inodes.has(inode) ? [Number.parseInt(local.split(':')[1]!, 16)] : [];
  });
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
