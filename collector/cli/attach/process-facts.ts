/** What the system tells of a process that is to be attached to: whether it is Node.js, whether SIGUSR1 would end it, and where it listens. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { printable } from '../../profile/printable';
import { CliError } from '../cli-error';

const SIGUSR1_BIT = 1n << 9n;
/** State of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';
/** What every Node.js exports to its addons, under whatever name its file goes. */
const EXPORTED = 'node_module_register';
const PART_BYTES = 4 * 1024 * 1024;

/** Throws a CliError: no such process, not ours, no Node.js, or one that would die of SIGUSR1. */
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
  const program = linkOf(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  if (program !== '' && !isNode(pid, program))
    throw new CliError(
      'ERR_CLI_ATTACH',
      `process ${pid} is no Node.js: it runs ${printable(program)}`,
      'nothing was sent to it; pgrep -a node lists those there are',
    );
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(textOf(`/proc/${pid}/status`) ?? '')?.[1];
  if (caught === undefined || BigInt(`0x${caught}`) & SIGUSR1_BIT) return;
  throw new CliError(
    'ERR_CLI_ATTACH',
    `process ${pid} does not wait for SIGUSR1, which would end it`,
    'it has not begun yet, or was started with --disable-sigusr1',
  );
}

/** By the name of its program, or what that exports, or the library that it is in; where its program cannot be read it may be. */
function isNode(pid: number, program: string): boolean {
  if (/^node(js)?$/.test(basename(program))) return true;
  if (/\/libnode\.so/.test(textOf(`/proc/${pid}/maps`) ?? '')) return true;
  return holdsText(`/proc/${pid}/exe`, EXPORTED) ?? true;
}

/** null where the file cannot be read. */
function holdsText(file: string, text: string): boolean | null {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const part = Buffer.alloc(PART_BYTES);
      const overlap = text.length - 1;
      let kept = 0;
      for (;;) {
        const read = readSync(descriptor, part, kept, PART_BYTES - kept, null);
        if (read === 0) return false;
        const filled = kept + read;
        if (part.subarray(0, filled).includes(text)) return true;
        kept = Math.min(overlap, filled);
        part.copy(part, 0, filled - kept, filled);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return null;
  }
}

/** Ports that a process listens on, on any address; null where the system does not tell. */
export function listeningPorts(pid: number): number[] | null {
  const inodes = socketsOf(pid);
  return inodes && listeners(pid).flatMap(({ port, inode }) => (inodes.has(inode) ? [port] : []));
}

/** Who else listens on a port where a process would; null where nobody does, or the system does not tell. Its pid is null where it is not ours to see. */
export function listenerOn(pid: number, port: number): { pid: number | null; name: string } | null {
  const taken = listeners(pid).filter((one) => one.port === port);
  const own = socketsOf(pid);
  if (own === null || taken.length === 0 || taken.some(({ inode }) => own.has(inode))) return null;
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const other = others.find((name) => {
    const sockets = socketsOf(Number(name));
    return sockets !== null && taken.some(({ inode }) => sockets.has(inode));
  });
  return other === undefined
    ? { pid: null, name: '' }
    : { pid: Number(other), name: (textOf(`/proc/${other}/comm`) ?? '').trim() };
}

/** cpuTicks: in hundredths of a second. switches: how often it went to sleep. */
export type ThreadFigures = { cpuTicks: number; switches: number };

/** null where the system does not tell. */
export function mainThreadFigures(pid: number): ThreadFigures | null {
  const stat = textOf(`/proc/${pid}/task/${pid}/stat`);
  const switches = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(
    textOf(`/proc/${pid}/task/${pid}/status`) ?? '',
  )?.[1];
  if (stat === null || switches === undefined) return null;
  // Behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { cpuTicks: Number(fields[11]) + Number(fields[12]), switches: Number(switches) };
}

/** Whether it was told on its command line or in its environment to open its inspector. */
export function isToldToInspect(pid: number): boolean {
  return ['cmdline', 'environ'].some((name) =>
    /--inspect(?!-port)/.test(textOf(`/proc/${pid}/${name}`) ?? ''),
  );
}

function socketsOf(pid: number): Set<string> | null {
  const inodes = new Set<string>();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  } catch {
    return null;
  }
  return inodes;
}

/** All listening sockets of its network. */
function listeners(pid: number): { port: number; inode: string }[] {
  const table = ['tcp', 'tcp6'].map((name) => textOf(`/proc/${pid}/net/${name}`) ?? '').join('\n');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === LISTENING ? [{ port: Number.parseInt(local.split(':')[1]!, 16), inode }] : [];
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
