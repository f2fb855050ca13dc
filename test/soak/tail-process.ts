/** `ringtail tail --json` as a process that is read all the time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { TailLine } from '../../collector/tail/schema';

const COMMAND = resolve(__dirname, '../../build/cli.js');

export class TailProcess {
  seconds = 0;
  /** Lines that were none of the schema. */
  broken = 0;
  stalls = 0;
  readonly notices = new Map<string, number>();
  /** Notes by what is the same in all of their kind; how often each came, and its last words. */
  readonly notes = new Map<string, { count: number; words: string }>();
  readonly drops = new Map<string, number>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(port: number) {
    this.#child = spawn(process.execPath, [COMMAND, 'tail', '--json', '--url', `ws://127.0.0.1:${port}`], {
      env: { PATH: process.env.PATH ?? '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#ended = new Promise((done) => this.#child.once('close', done));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#line(line));
  }

  /** Its exit code. */
  async end(): Promise<number | null> {
    this.#child.kill('SIGINT');
    return this.#ended;
  }

  #line(text: string): void {
    try {
      const line = JSON.parse(text) as TailLine;
      if (line.type === 'notice') {
        count(this.notices, line.kind);
        if (line.kind === 'note') this.#note(line.text);
        return;
      }
      this.seconds++;
      this.stalls += line.stalls.length;
      for (const drop of line.drops) count(this.drops, drop.reason, drop.count);
    } catch {
      this.broken++;
    }
  }

  #note(words: string): void {
    const kind = words.replace(/\/\S+/g, '…').replace(/\d[\d.]*/g, 'N');
    this.notes.set(kind, { count: (this.notes.get(kind)?.count ?? 0) + 1, words });
  }
}

function count(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
