/**
 * Programs under measurement: started in a process of their own, with a clean environment and a channel on which they
 * tell figures. All times are CLOCK_MONOTONIC nanoseconds, the same clock in parent and child.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';

const STOP_MILLIS = 15_000;

/** Our own environment without what would steer an agent or a runtime. */
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(RINGTAIL_|NODE_|DD_|PYROSCOPE_|OTEL_|BENCH_|npm_)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** file '' runs what `execArgv` says (-e). */
export class Program {
  told = [];
  #child;
  #ended;
  #waiting = [];
  #over = false;

  constructor({ file, args = [], execArgv = [], env = {}, binary = process.execPath, stdout = 'ignore' }) {
    this.spawnNanos = process.hrtime.bigint();
    this.#child = fork(file, args, {
      execPath: binary,
      execArgv,
      env: cleanEnvironment(env),
      stdio: ['ignore', stdout, 'pipe', 'ipc'],
    });
    let errors = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-4000);
    });
    this.#child.on('message', (message) => {
      this.told.push(message);
      for (const look of this.#waiting) look();
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('exit', (code, signal) => {
        const exitNanos = process.hrtime.bigint();
        // What was told before the end may still be in the channel.
        const told = this.#child.connected ? once(this.#child, 'disconnect') : Promise.resolve();
        told.then(() => {
          resolve({ code, signal, exitNanos, errors: () => errors });
          this.#over = true;
          for (const look of this.#waiting) look();
        });
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  send(message) {
    this.#child.send(message);
  }

  /** The value of the first message that has `key`; rejects when the program ends without it. */
  tell(key) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const message = this.told.find((entry) => key in entry);
        if (message !== undefined) resolve(message[key]);
        else if (this.#over) {
          this.#ended.then(({ errors }) =>
            reject(new Error(`the program ended without telling ${key}: ${errors()}`)),
          );
        }
      };
      this.#waiting.push(look);
      look();
    });
  }

  /** Resolves with code, signal, exitNanos and errors() when the program has ended by itself. */
  ended() {
    return this.#ended;
  }

  /** Asks it to leave by closing the channel; kills it when it does not. */
  async stop() {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MILLIS);
    const end = await this.#ended;
    clearTimeout(timer);
    return end;
  }
}
