/** The service of the soak as a process, with or without the agent: what it says of itself, what it says on stderr, how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { REGISTER } from '../faults/program';

const PROGRAM = join(__dirname, 'program/service.cjs');
const BEFORE = join(__dirname, 'program/before-agent.cjs');
const GARBAGE = join(__dirname, 'program/collect-garbage.cjs');
const BEGINS_WITHIN_MILLIS = 30_000;
const ENDS_WITHIN_MILLIS = 20_000;

/** Numbers of counts.cjs by name. */
export type Counts = Readonly<Record<string, number>>;
export type Figures = {
  counts: Counts;
  cpuMicros: number;
  /** null where Node does not tell. */
  agentHeapBytes: number | null;
  agent: { state: string; faults: number; dropped: number; selfMicros: number };
};
type Message = { port?: number; agentTid?: number; figures?: Figures };

export class ServiceProcess {
  port = 0;
  /** The kernel's id of the agent's thread, 0 without one. */
  agentTid = 0;
  stderr = '';
  readonly figures: Figures[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #begun: Promise<void>;
  #isOver = false;
  #killed = false;

  /** environment: null runs it without the agent. */
  constructor(environment: Readonly<Record<string, string>> | null, folder: string) {
    mkdirSync(folder, { recursive: true });
    const preload = environment === null ? [] : ['-r', REGISTER];
    this.#child = spawn(process.execPath, ['-r', GARBAGE, '-r', BEFORE, ...preload, PROGRAM, folder], {
      env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#ended = Promise.all(
      // What it said last may be read after it has ended.
      ['close', 'disconnect'].map((event) => new Promise((done) => this.#child.once(event, done))),
    );
    this.#child.once('exit', () => {
      this.#isOver = true;
    });
    this.#begun = new Promise((begun) => {
      this.#child.on('message', ({ port, agentTid, figures }: Message) => {
        if (figures !== undefined) this.figures.push(figures);
        if (port === undefined) return;
        this.port = port;
        this.agentTid = agentTid ?? 0;
        begun();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** '0', another exit code, a signal, or that it had to be killed. */
  get outcome(): string {
    if (this.#killed) return `killed, as it had not ended ${ENDS_WITHIN_MILLIS} ms after it was told to`;
    return String(this.#child.signalCode ?? this.#child.exitCode);
  }

  /** Lines on stderr that are not the agent's. */
  get strangeLines(): string[] {
    return this.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('ringtail: '));
  }

  async begun(): Promise<void> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), BEGINS_WITHIN_MILLIS);
    await Promise.race([this.#begun, this.#ended]);
    clearTimeout(late);
    if (this.port === 0)
      throw new Error(`the service ended before it served (${this.outcome}): ${this.stderr}`);
  }

  /** Asks it to end, and waits until it has. */
  async end(): Promise<void> {
    if (!this.#isOver) this.#child.send('end');
    const late = setTimeout(() => {
      this.#killed = true;
      this.#child.kill('SIGKILL');
    }, ENDS_WITHIN_MILLIS);
    await this.#ended;
    clearTimeout(late);
  }

  /** For when a run is given up. */
  kill(): void {
    if (!this.#isOver) this.#child.kill('SIGKILL');
  }
}
