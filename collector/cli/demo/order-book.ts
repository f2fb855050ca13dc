/** The demo's database: orders by id, a secondary index by customer, and a scan for what has no index. Bounded: numbers are used again. */
import type { Random } from './random';

export type Order = {
  id: number;
  customer: string;
  status: 'new' | 'paid' | 'shipped';
  lines: { product: string; quantity: number; cents: number }[];
  note: string;
};

const ORDERS_MAX = 6000;
const SEED_ORDERS = 5000;
const CUSTOMERS = 400;
const PRODUCTS = ['kettle', 'lamp', 'desk', 'chair', 'shelf', 'mirror', 'carpet', 'clock', 'plant', 'candle'];
const STATES = ['new', 'paid', 'shipped'] as const;

export class OrderBook {
  readonly #orders = new Map<number, Order>();
  readonly #byCustomer = new Map<string, Set<number>>();
  #nextId = 1;

  constructor(random: Random) {
    for (let i = 0; i < SEED_ORDERS; i++) this.insert(randomOrder(random));
  }

  get size(): number {
    return this.#orders.size;
  }

  all(): IterableIterator<Order> {
    return this.#orders.values();
  }

  find(id: number): Order | undefined {
    return this.#orders.get(id);
  }

  ofCustomer(customer: string): Order[] {
    return [...(this.#byCustomer.get(customer) ?? [])].map((id) => this.#orders.get(id)!);
  }

  /** No index helps here: every order is looked at. */
  scanNotes(word: string, limit: number): Order[] {
    const found: Order[] = [];
    for (const order of this.#orders.values()) {
      if (order.note.includes(word) && found.push(order) === limit) break;
    }
    return found;
  }

  insert(order: Omit<Order, 'id'>): Order {
    const stored = storedOrder(this.#nextId, order);
    this.#nextId = (this.#nextId % ORDERS_MAX) + 1;
    this.#forget(stored.id);
    this.#orders.set(stored.id, stored);
    let ids = this.#byCustomer.get(stored.customer);
    if (ids === undefined) {
      ids = new Set();
      this.#byCustomer.set(stored.customer, ids);
    }
    ids.add(stored.id);
    return stored;
  }

  #forget(id: number): void {
    const order = this.#orders.get(id);
    if (order === undefined) return;
    this.#orders.delete(id);
    const ids = this.#byCustomer.get(order.customer)!;
    ids.delete(id);
    if (ids.size === 0) this.#byCustomer.delete(order.customer);
  }
}

/** All orders get the same shape, wherever they come from: code that reads them stays fast. */
function storedOrder(id: number, { customer, status, lines, note }: Omit<Order, 'id'>): Order {
  const plainLines = lines.map(({ product, quantity, cents }) => ({ product, quantity, cents }));
  return { id, customer, status, lines: plainLines, note };
}

export function randomOrder(random: Random): Omit<Order, 'id'> {
  const lines = Array.from({ length: 1 + random.below(5) }, () => ({
    product: random.pick(PRODUCTS),
    quantity: 1 + random.below(4),
    cents: 500 + random.below(20_000),
  }));
  return {
    customer: `customer-${random.below(CUSTOMERS)}`,
    status: random.pick(STATES),
    lines,
    note: `please leave the ${random.pick(PRODUCTS)} at door ${random.below(1000)}`,
  };
}
