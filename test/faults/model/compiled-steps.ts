/** The loads and stores of a compiled function, in the order of the text: 'load 128', 'atomic store 0', 'store f64 16', ... */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = readFileSync(join(__dirname, '../../../build/core.wat'), 'utf8');

/** name: as in core.wat, e.g. `ring/push`. Loads of the constant bucket table are left out. */
export function compiledSteps(name: string): string[] {
  const start = text.indexOf(`(func $assembly/${name} `);
  if (start < 0) throw new Error(`core.wat has no function ${name}: run npm run build:wasm`);
  const body = text.slice(start, text.indexOf('\n )', start));
  const steps: string[] = [];
  for (const [, type, atomic, operation, offset] of body.matchAll(
    /\b(i32|i64|f64)\.(atomic\.)?(load|store)\S*(?: offset=(\d+))?/g,
  )) {
    if (type === 'i64') continue;
    steps.push(stepName(`${atomic ? 'atomic ' : ''}${operation}`, Number(offset ?? 0), type === 'f64'));
  }
  return steps;
}

export function stepName(kind: string, offset: number, isF64: boolean): string {
  return `${kind}${isF64 ? ' f64' : ''} ${offset}`;
}

/**
 * The text order of a function with one branch inside another, from the operations of its three paths: the straight
 * one, the one through the outer branch and back, and the one that ends in the inner branch.
 */
export function inTextOrder(straight: string[], outer: string[], inner: string[]): string[] {
  let fork = 0;
  while (straight[fork] === outer[fork]) fork++;
  const rest = straight.slice(fork);
  const branch = outer.slice(fork, outer.length - rest.length);
  return [...straight.slice(0, fork), ...branch, ...inner.slice(fork + branch.length), ...rest];
}
