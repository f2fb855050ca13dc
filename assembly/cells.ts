/** Counters and gauges: one f64 in the arena each, written by its thread with one 64-bit atomic store, read by the reader. */
import { allocate } from './arena';

/** Makes a cell of value 0; 0 when the arena is used up. */
export function cellCreate(slot: usize): usize {
  return allocate(slot, 8);
}

/** Adds; the thread is the only writer, so its own last value needs no atomic load. */
export function cellAdd(cell: usize, delta: f64): void {
  atomic.store<u64>(cell, reinterpret<u64>(load<f64>(cell) + delta)); // pairs with cellRead
}

export function cellSet(cell: usize, value: f64): void {
  atomic.store<u64>(cell, reinterpret<u64>(value)); // pairs with cellRead
}

export function cellRead(cell: usize): f64 {
  return reinterpret<f64>(atomic.load<u64>(cell)); // pairs with cellAdd and cellSet
}
