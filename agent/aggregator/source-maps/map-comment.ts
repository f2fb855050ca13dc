/**
 * Where a script says that its source map is: its last `//# sourceMappingURL=`, which stands at the end of the file, or,
 * where it holds the map itself as a data: URL, as far before the end as the map is long.
 */
import { readSync } from 'node:fs';

const TAIL_BYTES = 4096;
const BLOCK_BYTES = 64 * 1024;
/** How far before the end the comment of an inline map may begin. */
const INLINE_BYTES_MAX = 44 * 1024 * 1024;
const COMMENT = /(?:\/\/|\/\*)[#@][ \t]*sourceMappingURL=([^\s'"*]+)/g;
const INLINE_COMMENT = 'sourceMappingURL=data:';
/** Longest beginning of a data: URL, up to its comma. */
const DATA_HEAD_BYTES = 256;
/** A file that ends like this ends within a data: URL. */
const DATA_TAIL = /^[A-Za-z0-9+/=%_.~-]{1000,}\s*$/;

/** url: as written. data: the bytes of the file that hold the map, and how. */
export type MapComment = { url: string } | { from: number; to: number; base64: boolean };

/** script: an open file. */
export function mapComment(script: number, byteSize: number): MapComment | null {
  const tailAt = Math.max(0, byteSize - TAIL_BYTES);
  const tail = read(script, tailAt, byteSize - tailAt);
  const last = [...tail.matchAll(COMMENT)].at(-1);
  if (last !== undefined && !last[1]!.startsWith('data:')) return { url: last[1]! };
  if (last !== undefined) return dataAt(script, tailAt + tail.indexOf('data:', last.index), byteSize);
  if (!DATA_TAIL.test(tail.slice(-1100))) return null;
  const before = Math.max(0, byteSize - INLINE_BYTES_MAX);
  for (let to = byteSize; to > before; to -= BLOCK_BYTES) {
    const at = Math.max(before, to - BLOCK_BYTES);
    const block = read(script, at, Math.min(byteSize, to + INLINE_COMMENT.length) - at);
    const found = block.lastIndexOf(INLINE_COMMENT);
    if (found >= 0) return dataAt(script, at + block.indexOf('data:', found), byteSize);
  }
  return null;
}

function dataAt(script: number, at: number, byteSize: number): MapComment | null {
  const head = read(script, at, Math.min(DATA_HEAD_BYTES, byteSize - at));
  const comma = head.indexOf(',');
  if (comma < 0) return null;
  return { from: at + comma + 1, to: byteSize, base64: head.slice(0, comma).endsWith(';base64') };
}

/** Byte by byte, so that places in the text are places in the file. */
function read(file: number, from: number, length: number): string {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.toString('latin1', 0, readSync(file, buffer, 0, length, from));
}
