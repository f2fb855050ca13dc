/** CPU time of this process, ms: a hang burns it, a machine busy with others does not. */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
