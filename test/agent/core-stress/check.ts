/** The checksum that a stress record carries: of its thread and its number. */
export function checkOf(threadId: number, i: number): number {
  return (Math.imul(i ^ 0x5bd1e995, 2654435761) ^ Math.imul(threadId + 1, 40503)) >>> 0;
}
