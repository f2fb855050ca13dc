/**
 * The demo's service as a process of its own, with the agent preloaded. It ends when this process does, however this
 * one ends: the channel between them closes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { printable } from '../../profile/printable';
import { builtFile } from '../built-files';
import { CliError } from '../cli-error';

export const DEMO_SERVICE = 'demo';
/** Where hooks can leave promises alone. */
const HOOKS_STAY_ON = Number(process.versions.node.split('.')[0]) >= 24;
const START_WITHIN_MILLIS = 15_000;
const STOP_WITHIN_MILLIS = 3000;
const LINES_KEPT = 20;

export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  /** What the service wrote last, for the message when it fails. */
  readonly lastLines: string[] = [];

  constructor(collectorUrl: string, wrote: (line: string) => void) {
    this.#child = spawn(
      process.execPath,
      ['--require', builtFile('agent/register.js'), builtFile('demo-service.js')],
      {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // A group of its own: Ctrl-C at the terminal is for us, and we end it in order.
        detached: process.platform !== 'win32',
        env: {
          ...process.env,
          RINGTAIL_ENABLED: '1',
          RINGTAIL_SERVICE: DEMO_SERVICE,
          RINGTAIL_COLLECTOR: collectorUrl,
          // It has no frozen promises: hooks may follow them while somebody asks.
          RINGTAIL_ASYNC: process.env.RINGTAIL_ASYNC ?? (HOOKS_STAY_ON ? 'on' : 'window'),
        },
      },
    );
    this.#exited = new Promise((resolve) => {
      // Not 'close': it does not come after a disconnect from our side.
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n').filter((l) => l.trim() !== '')) {
          this.lastLines.push(printable(line));
          if (this.lastLines.length > LINES_KEPT) this.lastLines.shift();
          wrote(printable(line));
        }
      });
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The port the service listens on; rejects when it ends or says nothing. */
  port(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(this.endedError(`did not listen within ${START_WITHIN_MILLIS / 1000} s`)),
        START_WITHIN_MILLIS,
      );
      this.#child.once('message', (message: { port: number }) => {
        clearTimeout(timer);
        resolve(message.port);
      });
      void this.#exited.then(() => {
        clearTimeout(timer);
        reject(this.endedError('ended before it listened'));
      });
    });
  }

  /** Lets the service begin its work. */
  begin(): void {
    if (this.#child.connected) this.#child.send('begin');
  }

  /** Calls once if the service ends without `stop`. */
  onUnexpectedEnd(ended: (error: CliError) => void): void {
    this.#child.once('exit', (code, signal) => {
      if (this.#child.connected) ended(this.endedError(`ended by itself (${signal ?? `exit code ${code}`})`));
    });
  }

  endedError(what: string): CliError {
    return new CliError('ERR_CLI_DEMO_ENDED', `the demo's service ${what}`, this.lastWords());
  }

  /** Indented, for below a message. */
  lastWords(): string {
    return this.lastLines.length === 0
      ? 'it wrote nothing'
      : `it wrote:\n    ${this.lastLines.join('\n    ')}`;
  }

  /** Lets it leave in order, and ends it if it does not. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN_MILLIS);
    await this.#exited;
    clearTimeout(timer);
  }
}
