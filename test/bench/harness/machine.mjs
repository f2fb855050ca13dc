/** The line that says where the figures come from. */
import { cpus, release, totalmem, type } from 'node:os';

export function describeMachine() {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
  };
}

export function machineLine({ cpu, cores, memoryGib, kernel, node }) {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, Node ${node}`;
}
