/** Bytes for people: in MB, small amounts with two decimals. */
export function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(Math.abs(bytes) < 1e7 ? 2 : 0)} MB`;
}
