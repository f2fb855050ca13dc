/**
 * CPU time of single threads of this process, from /proc/self/task/<tid>/schedstat (Linux; first field the CPU, second the wait for one, nanoseconds).
 * Elsewhere every reading is null, and whoever asks says "not known" instead of zero. Descriptors stay open: a reading
 * is one pread of a few bytes.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

const SAMPLER_THREAD = 'v8:ProfEvntProc';
const buffer = Buffer.alloc(64);

export class ThreadCpu {
  /** How long the thread was ready but not running, µs, as of the last reading. */
  waitedMicros = 0;
  #fd: number;

  constructor(tid: number) {
    try {
      this.#fd = openSync(`/proc/self/task/${tid}/schedstat`, 'r');
    } catch {
      this.#fd = -1;
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Microseconds on a CPU since the thread began; null where the system does not tell or the thread is gone. */
  micros(): number | null {
    if (this.#fd < 0) return null;
    try {
      const length = readSync(this.#fd, buffer, 0, 64, 0);
      const [nanos = Number.NaN, waitedNanos = 0] = buffer
        .toString('latin1', 0, length)
        .split(' ', 2)
        .map(Number);
      this.waitedMicros = waitedNanos / 1000;
      return Number.isFinite(nanos) ? nanos / 1000 : null;
    } catch {
      return null;
    }
  }
}

/** The kernel's id of the calling thread, or 0. */
export function ownThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').pop()) || 0;
  } catch {
    return 0;
  }
}

/** Threads of this process that V8's sampler runs on, by the name V8 gives them. */
export function samplerThreadIds(): number[] {
  try {
    return readdirSync('/proc/self/task')
      .map(Number)
      .filter((tid) => readComm(tid) === SAMPLER_THREAD);
  } catch {
    return [];
  }
}

function readComm(tid: number): string {
  try {
    return readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The scheduler's one-letter state of a thread ('R' running, 'S' sleeping, 'D' disk, 'T' stopped), or ''. */
export function threadState(tid: number): string {
  try {
    const stat = readFileSync(`/proc/self/task/${tid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch {
    return '';
  }
}
