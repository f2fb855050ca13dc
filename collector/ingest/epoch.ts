/** What one agent has defined in one epoch: its stack table and its series. */
import { StackTable } from '../profile/stack-table';
import type { Series } from '../store/batch';

/** Series that an epoch may define. */
export const EPOCH_SERIES = 16_384;

export class Epoch {
  stacks = new StackTable();
  readonly series = new Map<number, Series>();
}
