import { describe, expect, it } from 'vitest';
import { cgroupLimits } from '../../../agent/aggregator/cgroup';

/** Files by path below /sys/fs/cgroup; what is not there throws. */
function limits(own: string, files: Record<string, string>) {
  return cgroupLimits((path) => {
    if (path === '/proc/self/cgroup') return own;
    const text = files[path.replace('/sys/fs/cgroup', '')];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  });
}

describe('limits of control groups', () => {
  it('of version 2 are the tightest on the way to the root', () => {
    const files = {
      '/cpu.max': 'max 100000\n',
      '/pods/cpu.max': '400000 100000\n',
      '/pods/shop/cpu.max': '150000 100000\n',
      '/pods/shop/memory.max': 'max\n',
      '/pods/memory.max': '536870912\n',
    };
    expect(limits('0::/pods/shop\n', files)).toEqual({ cpus: 1.5, memoryBytes: 536870912 });
  });

  it('are found where a container sees its own group as the root', () => {
    expect(limits('0::/\n', { '/cpu.max': '50000 100000\n' })).toEqual({ cpus: 0.5, memoryBytes: 0 });
    expect(limits('0::/../..\n', { '/cpu.max': '50000 100000\n' })).toEqual({ cpus: 0.5, memoryBytes: 0 });
  });

  it('of version 1 come from the controllers', () => {
    const files = {
      '/cpu/docker/cpu.cfs_quota_us': '200000\n',
      '/cpu/docker/cpu.cfs_period_us': '100000\n',
      '/memory/docker/memory.limit_in_bytes': '9223372036854771712\n',
      '/memory/memory.limit_in_bytes': '1073741824\n',
    };
    expect(limits('4:memory:/docker\n3:cpu,cpuacct:/docker\n', files)).toEqual({
      cpus: 2,
      memoryBytes: 1073741824,
    });
    expect(
      limits('3:cpu:/\n', { '/cpu/cpu.cfs_quota_us': '-1', '/cpu/cpu.cfs_period_us': '100000' }),
    ).toEqual({
      cpus: 0,
      memoryBytes: 0,
    });
  });

  it('are none where nothing is told or nonsense', () => {
    for (const own of ['', 'x', '0::', '0::/a\n'])
      expect(limits(own, { '/a/cpu.max': 'zero of ten' })).toEqual({ cpus: 0, memoryBytes: 0 });
  });
});
