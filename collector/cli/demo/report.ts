/**
 * The demo's known culprit. The loop stands in the function itself, and the function is longer than what V8 inlines
 * (460 bytes of bytecode): its time is credited to `slowReportTotals` and to nobody else.
 */
import type { OrderBook } from './order-book';

export type Report = {
  orders: number;
  cents: number;
  paidCents: number;
  shippedCents: number;
  openCents: number;
  pieces: number;
  largestCents: number;
  smallestCents: number;
  rebateCents: number;
  smallOrders: number;
  largeOrders: number;
  singleOrders: number;
  vatCents: number;
  checksum: number;
};

/** Long enough to stand out, short enough to be no stall. */
const REPORT_MILLIS = 13;

/** Sums all orders, many times over: the kind of work that was fast with ten orders. */
export function slowReportTotals(book: OrderBook, passes: number): Report {
  let orders = 0;
  let cents = 0;
  let paidCents = 0;
  let shippedCents = 0;
  let openCents = 0;
  let pieces = 0;
  let largestCents = 0;
  let smallestCents = 0;
  let rebateCents = 0;
  let smallOrders = 0;
  let largeOrders = 0;
  let singleOrders = 0;
  let vatCents = 0;
  let checksum = 0;
  const all = [...book.all()];
  for (let pass = 0; pass < passes; pass++) {
    orders = cents = paidCents = shippedCents = openCents = pieces = largestCents = rebateCents = 0;
    smallOrders = largeOrders = singleOrders = vatCents = 0;
    smallestCents = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < all.length; i++) {
      const { lines, status } = all[i]!;
      let orderCents = 0;
      for (let j = 0; j < lines.length; j++) {
        const { cents: pieceCents, quantity } = lines[j]!;
        orderCents += pieceCents * quantity;
        pieces += quantity;
        if (quantity > 3) rebateCents += (pieceCents * quantity) >> 4;
        checksum = (Math.imul(checksum, 31) + pieceCents) | 0;
      }
      if (status === 'paid') paidCents += orderCents;
      else if (status === 'shipped') shippedCents += orderCents;
      else openCents += orderCents;
      if (orderCents > largestCents) largestCents = orderCents;
      if (orderCents < smallestCents) smallestCents = orderCents;
      if (orderCents < 5000) smallOrders++;
      else if (orderCents > 100_000) largeOrders++;
      if (lines.length === 1) singleOrders++;
      vatCents += (orderCents * 19) >> 7;
      cents += orderCents;
      orders++;
    }
  }
  return {
    orders,
    cents,
    paidCents,
    shippedCents,
    openCents,
    pieces,
    largestCents,
    smallestCents,
    rebateCents,
    smallOrders,
    largeOrders,
    singleOrders,
    vatCents,
    checksum,
  };
}

/** How many passes take REPORT_MILLIS on this machine: the demo should load a slow one and a fast one alike. */
export function reportPasses(book: OrderBook): number {
  const trialPasses = 20;
  slowReportTotals(book, trialPasses);
  let fastestMillis = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const startMillis = performance.now();
    slowReportTotals(book, trialPasses);
    fastestMillis = Math.min(fastestMillis, performance.now() - startMillis);
  }
  return Math.max(1, Math.round((REPORT_MILLIS / fastestMillis) * trialPasses));
}
