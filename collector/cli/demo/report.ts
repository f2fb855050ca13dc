/**
 * The demo's known culprit. The loop stands in the function itself and calls nothing worth inlining, so every
 * profiler that is right puts `slowReportTotals` first.
 */
import type { OrderBook } from './order-book';

export type Report = { orders: number; cents: number; checksum: number };

/** Long enough to stand out, short enough to be no stall. */
const REPORT_MILLIS = 18;

/** Sums all orders, many times over: the kind of work that was fast with ten orders. */
export function slowReportTotals(book: OrderBook, passes: number): Report {
  let orders = 0;
  let cents = 0;
  let checksum = 0;
  const all = [...book.all()];
  for (let pass = 0; pass < passes; pass++) {
    orders = 0;
    cents = 0;
    for (let i = 0; i < all.length; i++) {
      const lines = all[i]!.lines;
      for (let j = 0; j < lines.length; j++) {
        const line = lines[j]!;
        cents += line.cents * line.quantity;
        checksum = (Math.imul(checksum, 31) + line.cents) | 0;
      }
      orders++;
    }
  }
  return { orders, cents, checksum };
}

/** How many passes take REPORT_MILLIS on this machine: the demo should load a slow one and a fast one alike. */
export function reportPasses(book: OrderBook): number {
  const warmUpPasses = 40;
  slowReportTotals(book, warmUpPasses);
  let fastestMillis = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startMillis = performance.now();
    slowReportTotals(book, warmUpPasses);
    fastestMillis = Math.min(fastestMillis, performance.now() - startMillis);
  }
  return Math.max(1, Math.round((REPORT_MILLIS / fastestMillis) * warmUpPasses));
}
