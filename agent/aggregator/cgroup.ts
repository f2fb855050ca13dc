/**
 * Bounds that the control groups of this process set, of version 2 and 1, the tightest of all groups it is in
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max and memory.max). Elsewhere than on Linux there are none.
 */

export type CgroupLimits = {
  /** Cores' worth of CPU time; 0 for no bound. */
  cpus: number;
  /** 0 for no bound. */
  memoryBytes: number;
};

const ROOT = '/sys/fs/cgroup';
/** Version 1 writes "no bound" as a number of this size. */
const UNBOUNDED_BYTES = 2 ** 60;
const LEVELS_MAX = 16;

/** read: a file's text; throws where it is not there. */
export function cgroupLimits(read: (path: string) => string): CgroupLimits {
  const limits = { cpus: 0, memoryBytes: 0 };
  for (const line of textOf(read, '/proc/self/cgroup').split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === '') continue;
    const names = controllers.split(',');
    for (const folder of foldersOf(path)) {
      if (controllers === '') {
        for (const base of [ROOT, `${ROOT}/unified`]) {
          tighten(limits, 'cpus', quotaOf(textOf(read, `${base}${folder}/cpu.max`)));
          tighten(limits, 'memoryBytes', Number(textOf(read, `${base}${folder}/memory.max`)));
        }
      }
      if (names.includes('cpu')) {
        const base = `${ROOT}/cpu${folder}/cpu.cfs`;
        tighten(
          limits,
          'cpus',
          quotaOf(`${textOf(read, `${base}_quota_us`)} ${textOf(read, `${base}_period_us`)}`),
        );
      }
      if (names.includes('memory'))
        tighten(limits, 'memoryBytes', Number(textOf(read, `${ROOT}/memory${folder}/memory.limit_in_bytes`)));
    }
  }
  return limits;
}

/** A group bounds all groups within it. A container may see its own group as the root. */
function foldersOf(path: string): string[] {
  const folders = [''];
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  for (let depth = 1; depth <= Math.min(parts.length, LEVELS_MAX); depth++)
    folders.push(`/${parts.slice(0, depth).join('/')}`);
  return folders;
}

/** `150000 100000` is one and a half; `max 100000` and `-1 100000` are none. */
function quotaOf(text: string): number {
  const [quota = Number.NaN, period = Number.NaN] = text.trim().split(/\s+/, 2).map(Number);
  return quota > 0 && period > 0 ? quota / period : 0;
}

function tighten(limits: CgroupLimits, key: keyof CgroupLimits, found: number): void {
  if (!(found > 0) || found >= UNBOUNDED_BYTES) return;
  limits[key] = limits[key] === 0 ? found : Math.min(limits[key], found);
}

function textOf(read: (path: string) => string, path: string): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}
