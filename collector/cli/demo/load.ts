/**
 * The demo's users: requests at a fixed rate from a seeded mix, over kept-alive connections. Bounded: when the
 * service does not answer, requests are left out and counted, never piled up.
 */
import { Agent, request } from 'node:http';
import { randomOrder } from './order-book';
import { Random } from './random';

export const REQUESTS_PER_SECOND = 100;
const TICK_MILLIS = 20;
const IN_FLIGHT_MAX = 64;
const SOCKETS_MAX = 16;
const REQUEST_TIMEOUT_MILLIS = 5000;
/** Orders, customers and words that surely exist. */
const ORDER_IDS = 5000;
const CUSTOMERS = 400;
const WORDS = ['lamp', 'desk', 'door', 'mirror', 'nothing', 'candle'];

type Planned = { method: 'GET' | 'POST'; path: string; body?: string };
/** Share of the requests, and how one is made. */
type Share = { percent: number; plan: (random: Random) => Planned };

const MIX: readonly Share[] = [
  { percent: 25, plan: (r) => get(`/orders/${1 + r.below(ORDER_IDS)}`) },
  { percent: 17, plan: (r) => get(`/customers/customer-${r.below(CUSTOMERS)}/orders`) },
  { percent: 10, plan: (r) => ({ method: 'POST', path: '/orders', body: JSON.stringify(randomOrder(r)) }) },
  { percent: 12, plan: (r) => get(`/pages/${1 + r.below(ORDER_IDS)}`) },
  { percent: 8, plan: (r) => get(`/seals/${1 + r.below(ORDER_IDS)}`) },
  { percent: 8, plan: (r) => get(`/search?word=${r.pick(WORDS)}`) },
  { percent: 3, plan: () => ({ method: 'POST', path: '/logins', body: 'correct horse battery staple' }) },
  { percent: 2, plan: () => ({ method: 'POST', path: '/sessions', body: '' }) },
  { percent: 5, plan: () => get('/exports') },
  { percent: 10, plan: () => get('/reports/totals') },
];

export type LoadCounts = { sent: number; answered: number; failed: number; leftOut: number };

export class Load {
  readonly counts: LoadCounts = { sent: 0, answered: 0, failed: 0, leftOut: 0 };
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  readonly #random = new Random(11);
  #timer: NodeJS.Timeout | undefined;
  #startMillis = 0;
  #due = 0;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
  }

  get started(): boolean {
    return this.#timer !== undefined;
  }

  /** Once. */
  start(): void {
    this.#startMillis = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLIS);
  }

  /** What is under way is cut off, and is no failure. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#startMillis) / 1000) * REQUESTS_PER_SECOND);
    for (; this.#due < due; this.#due++) {
      const { sent, answered, failed } = this.counts;
      if (sent - answered - failed >= IN_FLIGHT_MAX) this.counts.leftOut++;
      else this.#send(planRequest(this.#random));
    }
  }

  #send({ method, path, body }: Planned): void {
    this.counts.sent++;
    let settled = false;
    const settle = (name: 'answered' | 'failed') => {
      if (!settled && !this.#stopped) this.counts[name]++;
      settled = true;
    };
    const call = request(
      { host: '127.0.0.1', port: this.#port, method, path, agent: this.#agent },
      (response) => {
        response.on('end', () => settle((response.statusCode ?? 500) < 500 ? 'answered' : 'failed'));
        response.on('close', () => settle('failed'));
        response.resume();
      },
    );
    call.setTimeout(REQUEST_TIMEOUT_MILLIS, () => call.destroy());
    call.on('error', () => settle('failed'));
    call.end(body);
  }
}

function planRequest(random: Random): Planned {
  let left = random.below(100);
  for (const { percent, plan } of MIX) {
    if (left < percent) return plan(random);
    left -= percent;
  }
  return get('/orders/1');
}

function get(path: string): Planned {
  return { method: 'GET', path };
}
