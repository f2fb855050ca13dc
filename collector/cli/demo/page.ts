/** The demo's HTML: one template, filled for an order. */
import type { Order } from './order-book';

const TEMPLATE = `<!doctype html><title>Order {{id}}</title>
<h1>Order {{id}} of {{customer}}</h1>
<p>{{status}}: {{note}}</p>
<table>{{rows}}</table>
<p>Total {{total}}</p>`;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function renderPage(order: Order): string {
  const totalCents = order.lines.reduce((sum, line) => sum + line.cents * line.quantity, 0);
  const values: Record<string, string> = {
    id: String(order.id),
    customer: escapeHtml(order.customer),
    status: order.status,
    note: escapeHtml(order.note),
    rows: order.lines
      .map((l) => `<tr><td>${escapeHtml(l.product)}<td>${l.quantity}<td>${euros(l.cents)}`)
      .join('\n'),
    total: euros(totalCents),
  };
  return TEMPLATE.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ESCAPES[c]!);
}

function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}
