/**
 * Unpredictable bytes from the kernel. They come from its device file where there is one, because node:crypto, which has
 * them too, costs a thread that needs nothing else of it 0.5 to 3 MB.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const DEVICE = '/dev/urandom';

/** `length` unpredictable bytes, a buffer of their own; at most 256, which the device gives in one piece. */
export function randomBytes(length: number): Buffer {
  return fromDevice(length) ?? (require('node:crypto') as typeof import('node:crypto')).randomBytes(length);
}

function fromDevice(length: number): Buffer | null {
  let fd = -1;
  try {
    fd = openSync(DEVICE, 'r');
    const bytes = Buffer.alloc(length);
    return readSync(fd, bytes, 0, length, null) === length ? bytes : null;
  } catch {
    return null;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}
