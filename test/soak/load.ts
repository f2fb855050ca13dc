/** The users of a service: requests at an even rate over kept-alive connections, through all its routes. */
import { Agent, get } from 'node:http';

const PATHS = [
  'orders',
  'pages',
  'hashes',
  'zips',
  'orders',
  'files',
  'upstream',
  'failures',
  'orders',
  'pages',
];
const SOCKETS_MAX = 8;
/** What is under way at once; beyond, requests are left out. */
const IN_FLIGHT_MAX = 32;

export class SteadyLoad {
  answered = 0;
  failed = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(
    readonly port: number,
    perSecond: number,
  ) {
    this.#timer = setInterval(() => this.#send(), 1000 / perSecond);
  }

  /** Resolves when the last answer is in. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.answered + this.failed < this.#sent) await new Promise((done) => setTimeout(done, 20));
    this.#agent.destroy();
  }

  #send(): void {
    if (this.#sent - this.answered - this.failed >= IN_FLIGHT_MAX) return;
    const path = `/${PATHS[this.#sent % PATHS.length]}/${this.#sent++}`;
    get({ host: '127.0.0.1', port: this.port, path, agent: this.#agent }, (response) => {
      response.once('end', () => this.answered++).resume();
    }).once('error', () => this.failed++);
  }
}
