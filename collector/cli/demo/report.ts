/**
 * The demo's known culprit. V8's profiler credits it and nobody else: the function is longer than what V8 inlines
 * (460 bytes of bytecode), and its loop stays out of V8's builtins (no string comparisons, objects of one shape), whose time goes to the caller.
 */
import type { OrderBook } from './order-book';

export type Report = {
  orders: number;
  cents: number;
  bulkCents: number;
  mixedCents: number;
  singleCents: number;
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
const TRIAL_CALLS = 100;

/** Sums all orders, many times over: the kind of work that was fast with ten orders. */
export function slowReportTotals(book: OrderBook, passes: number): Report {
  let orders = 0;
  let cents = 0;
  let bulkCents = 0;
  let mixedCents = 0;
  let singleCents = 0;
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
    orders = cents = bulkCents = mixedCents = singleCents = pieces = largestCents = rebateCents = 0;
    smallOrders = largeOrders = singleOrders = vatCents = 0;
    smallestCents = Number.MAX_SAFE_INTEGER;
    for (let i = 0; i < all.length; i++) {
      const lines = all[i]!.lines;
      let orderCents = 0;
      for (let j = 0; j < lines.length; j++) {
        const { cents: pieceCents, quantity } = lines[j]!;
        orderCents += pieceCents * quantity;
        pieces += quantity;
        if (quantity > 3) rebateCents += (pieceCents * quantity) >> 4;
        checksum = (Math.imul(checksum, 31) + pieceCents) | 0;
      }
      if (lines.length > 3) bulkCents += orderCents;
      else if (lines.length > 1) mixedCents += orderCents;
      else singleCents += orderCents;
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
    bulkCents,
    mixedCents,
    singleCents,
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

/**
 * How many passes take REPORT_MILLIS on this machine: the demo should load a slow one and a fast one alike. Many short
 * calls, so that V8 has optimised the function from its first line to its last before it counts.
 */
export function reportPasses(book: OrderBook): number {
  let fastestMillis = Number.POSITIVE_INFINITY;
  for (let call = 0; call < TRIAL_CALLS; call++) {
    const startMillis = performance.now();
    slowReportTotals(book, 1);
    fastestMillis = Math.min(fastestMillis, performance.now() - startMillis);
  }
  return Math.max(1, Math.round(REPORT_MILLIS / fastestMillis));
}
