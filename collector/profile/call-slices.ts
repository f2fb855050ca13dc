/**
 * The ticks of one thread as slices: how long each call was on the stack, as far as sampling tells. A tick stands for
 * the time up to the next one; calls that two ticks share go on between them. Where the thread idles, or was not
 * sampled, nothing is drawn. A collection has no stack in V8: it is drawn on top of what ran before it.
 */
import { SampleState } from '../../assembly/layout';
import { fileOf, functionName } from './frame';
import type { StackNames } from './stack-table';
import type { TraceNode } from './trace-writer';

type SliceNames = Pick<StackNames, 'parentOf' | 'functionOf'>;

/** Ticks in time order, what names their stacks, and what each stands for. */
export type SliceTicks = {
  window: { atMicros: ArrayLike<number>; stack: ArrayLike<number>; state: ArrayLike<number> };
  names: SliceNames;
  periodMicros: number;
};

/** Ticks further apart than so many periods have time between them that nobody looked at. */
const GAP_PERIODS = 3;

export class CallSlices {
  /** Every call path, parents first: index + 1 is the id. */
  readonly nodes: TraceNode[] = [];
  /** One a slice, in the order they begin: its node, when it begins and ends. */
  readonly sliceNodes: number[] = [];
  readonly sliceStarts: number[] = [];
  readonly sliceEnds: number[] = [];
  /** One a tick, idle ones too. */
  readonly sampleNodes: number[] = [];
  readonly sampleMicros: number[] = [];
  readonly sampleIdle: boolean[] = [];
  readonly #children = new Map<string, number>();
  readonly #known = new Map<SliceNames, Map<number, number>>();
  /** Slices that are open, the root's first. */
  #open: number[] = [];
  #lastMicros = 0;
  #lastNode = 0;
  #periodMicros = 0;

  /** Of the last tick. */
  get periodMicros(): number {
    return this.#periodMicros;
  }

  add({ window, names, periodMicros }: SliceTicks, fromMicros: number, toMicros: number): void {
    for (let index = 0; index < window.atMicros.length; index++) {
      const at = window.atMicros[index]!;
      if (at < fromMicros || at > toMicros || at < this.#lastMicros) continue;
      this.#tick(at, this.#nodeOf(names, window.stack[index]!), window.state[index]!, periodMicros);
    }
  }

  end(): void {
    this.#closeTo(0, this.#lastMicros + this.#periodMicros);
  }

  #tick(at: number, sampled: number, state: number, periodMicros: number): void {
    const gap = at - this.#lastMicros > GAP_PERIODS * periodMicros;
    if (gap) this.#closeTo(0, this.#lastMicros + this.#periodMicros);
    const idle = state === SampleState.Idle;
    const onTop = state === SampleState.Gc && sampled !== 0 && !gap && this.#open.length > 0;
    const node = onTop ? this.#collectionOn(this.#lastNode, sampled) : sampled;
    const path = idle ? [] : this.#pathOf(node);
    let shared = 0;
    while (shared < this.#open.length && this.sliceNodes[this.#open[shared]!] === path[shared]) shared++;
    this.#closeTo(shared, at);
    for (const step of path.slice(shared)) {
      this.#open.push(this.sliceNodes.push(step) - 1);
      this.sliceStarts.push(at);
      this.sliceEnds.push(at);
    }
    this.sampleNodes.push(node);
    this.sampleMicros.push(at);
    this.sampleIdle.push(idle);
    this.#lastMicros = at;
    if (!onTop) this.#lastNode = node;
    this.#periodMicros = periodMicros;
  }

  #closeTo(depth: number, at: number): void {
    for (const slice of this.#open.splice(depth)) this.sliceEnds[slice] = at;
  }

  #collectionOn(node: number, collection: number): number {
    const { name, url, line } = this.nodes[collection - 1]!;
    return this.#child(node, name, url, line);
  }

  #pathOf(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== 0; at = this.nodes[at - 1]!.parent) path.push(at);
    return path.reverse();
  }

  /** Parents are named first, without recursion. */
  #nodeOf(names: SliceNames, stack: number): number {
    const known = this.#known.get(names) ?? new Map([[0, 0]]);
    this.#known.set(names, known);
    const missing: number[] = [];
    let above = stack;
    for (; !known.has(above); above = names.parentOf(above)) missing.push(above);
    let node = known.get(above)!;
    for (const id of missing.reverse()) {
      const entry = names.functionOf(id);
      node = this.#child(node, functionName(entry), fileOf(entry.url), entry.line);
      known.set(id, node);
    }
    return node;
  }

  #child(parent: number, name: string, url: string, line: number): number {
    const key = `${parent} ${line} ${name} ${url}`;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const id = this.nodes.length + 1;
    this.nodes.push({ id, parent, name, url, line });
    this.#children.set(key, id);
    return id;
  }
}
