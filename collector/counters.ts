/** What the collector counts of itself. Only ever grows; /metrics shows it. */
export class Counters {
  connections = 0;
  messages = 0;
  messageBytes = 0;
  batches = 0;
  duplicates = 0;
  /** Sequences that never came. */
  gaps = 0;
  captures = 0;
  httpRefused = 0;
  tailLines = 0;
  slowTailClients = 0;
  endedWithoutGoodbye = 0;
  readonly errorsByCode = new Map<string, number>();
  readonly lossesByReason = new Map<string, number>();
  /** Numbers that were none, by field: each was left out, its batch was not. */
  readonly refusedByField = new Map<string, number>();

  error(code: string): void {
    this.errorsByCode.set(code, (this.errorsByCode.get(code) ?? 0) + 1);
  }

  loss(reason: string, count: number): void {
    this.lossesByReason.set(reason, (this.lossesByReason.get(reason) ?? 0) + count);
  }

  refused(field: string): void {
    this.refusedByField.set(field, (this.refusedByField.get(field) ?? 0) + 1);
  }
}
