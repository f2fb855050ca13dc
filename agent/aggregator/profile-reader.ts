/**
 * One V8 CPU profile to ticks: which stack, what state, when. Three things V8 does not say plainly are settled here.
 *
 * Weights. V8's `samples` also holds records it adds at deoptimisations; only `hitCount` counts ticks of the sampling
 * clock. Of the s samples that fell on a node with h hits, h are kept, spread evenly over them.
 *
 * Overlap. A window starts before its predecessor ends; ticks up to the predecessor's end are left out.
 *
 * Leaves. V8 credits an inlined callee, and code it does not know, to a caller. Where the lines of `positionTicks` prove
 * whose the ticks are (inlined-callees.ts) that function becomes the leaf, below the credited one; the frames between the
 * two cannot be recovered. Where they prove only that they are another's, they stay with the credited function, without
 * a line, and are counted.
 */
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SampleState } from '../../assembly/layout';
import { WIRE_LIMITS } from '../wire/limits';
import type { Dictionary } from './dictionary';
import type { FunctionRange } from './function-ranges';
import { type InlinedCallees, type Located, type Owner, shownName } from './inlined-callees';

export type V8CallFrame = {
  functionName: string;
  scriptId: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
};
export type V8Node = {
  id: number;
  callFrame: V8CallFrame;
  hitCount?: number;
  children?: number[];
  positionTicks?: { line: number; ticks: number }[];
};
/** Times in CLOCK_MONOTONIC µs. */
export type V8Profile = {
  nodes: V8Node[];
  startTime: number;
  endTime: number;
  samples?: number[];
  timeDeltas?: number[];
};

/** Ticks of one window in time order: parallel arrays, typed ones where the window was read. */
export type TickWindow = {
  threadId: number;
  startMicros: number;
  endMicros: number;
  nodeCount: number;
  atMicros: ArrayLike<number>;
  stack: ArrayLike<number>;
  state: ArrayLike<number>;
  /** String ids of label texts (wire/label-text.ts), 0 for none; missing where the thread used no labels. */
  label?: ArrayLike<number>;
  jsTicks: number;
  repairedTicks: number;
  /** Of callees that cannot be named: credited to a caller. */
  unnamedTicks: number;
  idleTicks: number;
};

/** What the text of a script tells; null where it is not to be had. */
export type ScriptText = {
  functions: readonly FunctionRange[];
  /** Lines that call Atomics.wait, 1-based: V8 shows that builtin as the line of its caller. */
  waitLines: ReadonlySet<number>;
};

export interface ScriptSource {
  /** undefined: not to be had now, ask again; null: never. */
  textOf(url: string): ScriptText | null | undefined;
  /** What follows tells nothing of a script whose text is not to be had. Lines from..to, 1-based, both included; '' where they are long. */
  linesOf(url: string, from: number, to: number): string;
  /** Addresses of the scripts that it imports or requires. */
  importsOf(url: string): readonly string[];
  /** Address of the script that it binds a name to by importing or requiring it; null where that is none. */
  boundTo(url: string, name: string): string | null;
  /** Names that it exports as others; null: whatever those that it imports export. */
  exportsOf(url: string): ReadonlySet<string> | null;
  /** It holds a whole program, as a bundle does. */
  isLarge(url: string): boolean;
  /** Its functions that it uses as values. */
  valuesOf(url: string): ReadonlySet<string>;
}

/** The name of the function that a rotation runs on main; its ticks are ours, not the program's. */
export const ROTATION_FUNCTION = 'ringtailRotate';
/** What the agent has the inspector run on the main thread is called so. */
const RUN_BY_US = /^ringtail[A-Z]/;
const OWN_FRAME = '(ringtail)';
/** Where the agent's own files lie, as they are built. */
export const OWN_URL = pathToFileURL(`${__dirname}${sep}`).href;

const META_STATES: Record<string, SampleState> = {
  '(idle)': SampleState.Idle,
  '(program)': SampleState.Program,
  '(garbage collector)': SampleState.Gc,
};

/** Native bindings that hold the thread without burning CPU, by the Node file that calls them: wall and block time, never CPU. */
const BLOCKING_BINDINGS: Record<string, string> = { spawn: 'node:internal/child_process' };

type Leaf = { stack: number; ticks: number; state: number; owner: 'own' | 'repaired' | 'unnamed' };
type NodePlan = {
  leaves: Leaf[];
  hits: number;
  samples: number;
  seen: number;
  given: number;
  leafAt: number;
  leafGiven: number;
};

/** `afterMicros`: end of the window before, 0 for none. threadId: 0 for the main thread. */
export function readProfile(
  profile: V8Profile,
  afterMicros: number,
  dictionary: Dictionary,
  callees: InlinedCallees,
  threadId = 0,
): TickWindow {
  const plans = planNodes(profile, dictionary, callees);
  const ticks = new Ticks([...plans.values()].reduce((sum, { hits }) => sum + hits, 0));
  let at = profile.startTime;
  const { samples = [], timeDeltas = [] } = profile;
  for (let i = 0; i < samples.length; i++) {
    at += timeDeltas[i] ?? 0;
    const plan = plans.get(samples[i]!);
    if (plan === undefined) continue;
    plan.seen++;
    const due = Math.floor((plan.seen * plan.hits) / plan.samples);
    for (; plan.given < due; plan.given++) giveTick(ticks, plan, at, afterMicros);
  }
  for (const plan of plans.values()) {
    for (; plan.given < plan.hits; plan.given++) giveTick(ticks, plan, profile.endTime, afterMicros);
  }
  return {
    threadId,
    startMicros: Math.max(profile.startTime, afterMicros),
    endMicros: profile.endTime,
    nodeCount: profile.nodes.length,
    ...ticks.columns(),
  };
}

/** The ticks so far, in arrays that have room for `room` of them. What a window cannot carry is missing in its count. */
class Ticks {
  readonly #atMicros: Float64Array;
  readonly #stack: Uint32Array;
  readonly #state: Uint8Array;
  #count = 0;
  #jsTicks = 0;
  #repairedTicks = 0;
  #unnamedTicks = 0;
  #idleTicks = 0;

  constructor(room: number) {
    const most = Math.min(room, WIRE_LIMITS.samplesPerWindow);
    this.#atMicros = new Float64Array(most);
    this.#stack = new Uint32Array(most);
    this.#state = new Uint8Array(most);
  }

  add(at: number, { stack, state, owner }: Leaf): void {
    if (this.#count === this.#atMicros.length) return;
    this.#atMicros[this.#count] = at;
    this.#stack[this.#count] = stack;
    this.#state[this.#count] = state;
    this.#count++;
    if (state === SampleState.Js) this.#jsTicks++;
    else if (state === SampleState.Idle) this.#idleTicks++;
    if (owner === 'repaired') this.#repairedTicks++;
    else if (owner === 'unnamed') this.#unnamedTicks++;
  }

  columns(): Omit<TickWindow, 'threadId' | 'startMicros' | 'endMicros' | 'nodeCount'> {
    return {
      atMicros: this.#atMicros.subarray(0, this.#count),
      stack: this.#stack.subarray(0, this.#count),
      state: this.#state.subarray(0, this.#count),
      jsTicks: this.#jsTicks,
      repairedTicks: this.#repairedTicks,
      unnamedTicks: this.#unnamedTicks,
      idleTicks: this.#idleTicks,
    };
  }
}

function giveTick(ticks: Ticks, plan: NodePlan, at: number, afterMicros: number): void {
  let leaf = plan.leaves[plan.leafAt]!;
  if (plan.leafGiven >= leaf.ticks && plan.leafAt < plan.leaves.length - 1) {
    leaf = plan.leaves[++plan.leafAt]!;
    plan.leafGiven = 0;
  }
  plan.leafGiven++;
  if (at > afterMicros) ticks.add(at, leaf);
}

/**
 * A node that is still to be read, and the frame above it. own: that is of the agent, or was called by it and is Node's or
 * V8's; cut: it runs where the sampled program was interrupted for it, and belongs to nobody there.
 */
type Pending = {
  id: number;
  parent: number;
  own: boolean | 'cut';
  caller: V8CallFrame | null;
  callerId: number;
};

/** Interns every path and says for each node with hits where its ticks go. */
function planNodes(
  profile: V8Profile,
  dictionary: Dictionary,
  callees: InlinedCallees,
): Map<number, NodePlan> {
  const nodes = new Map<number, V8Node>();
  for (const node of profile.nodes) nodes.set(node.id, node);
  const sampleCounts = new Map<number, number>();
  for (const id of profile.samples ?? []) sampleCounts.set(id, (sampleCounts.get(id) ?? 0) + 1);

  const plans = new Map<number, NodePlan>();
  const root = profile.nodes[0];
  if (root === undefined) return plans;
  const pending: Pending[] = (root.children ?? []).map((id) => ({
    id,
    parent: 0,
    own: false,
    caller: null,
    callerId: 0,
  }));
  while (pending.length > 0) {
    const { id, parent, own, caller, callerId } = pending.pop()!;
    const node = nodes.get(id);
    if (node === undefined) continue;
    const { callFrame } = node;
    const isCut = own === 'cut' || (callFrame.url === '' && RUN_BY_US.test(callFrame.functionName));
    const isOwn = isCut || (own ? !isOfProgram(callFrame) : isOfAgent(callFrame));
    const functionId = isOwn
      ? dictionary.function(OWN_FRAME, '', 0, 0)
      : dictionary.function(
          callFrame.functionName,
          callFrame.url,
          callFrame.lineNumber + 1,
          callFrame.columnNumber + 1,
        );
    if (caller !== null) callees.sees(caller, callFrame, pairOf(dictionary, callerId, functionId));
    const hits = node.hitCount ?? 0;
    if (hits > 0) {
      const leaves = isOwn
        ? [ownLeaf(dictionary.stack(isCut ? 0 : parent, functionId, 0), hits, SampleState.Js)]
        : new LeafReader(node, nodes, caller, dictionary, callees).read(hits, parent, functionId);
      plans.set(id, {
        leaves,
        hits,
        samples: sampleCounts.get(id) ?? 0,
        seen: 0,
        given: 0,
        leafAt: 0,
        leafGiven: 0,
      });
    }
    if (node.children === undefined || node.children.length === 0) continue;
    // Ours are left out between a caller and what it called through them.
    const here = isOwn ? parent : dictionary.stack(parent, functionId, 0);
    const below = isCut ? 'cut' : isOwn;
    for (const child of node.children)
      pending.push({ id: child, parent: here, own: below, caller: callFrame, callerId: functionId });
  }
  return plans;
}

function isOfAgent({ url }: V8CallFrame): boolean {
  return url.startsWith(OWN_URL) || url.startsWith('ringtail:');
}

function isOfProgram(frame: V8CallFrame): boolean {
  return frame.url !== '' && !frame.url.startsWith('node:') && !isOfAgent(frame);
}

/** Ids are given anew in each epoch, fewer than 2 ** 20. */
function pairOf({ generation }: Dictionary, callerId: number, calleeId: number): number {
  return ((generation % 4096) * 2 ** 20 + callerId) * 2 ** 20 + calleeId;
}

function stateOf(frame: V8CallFrame, callerUrl: string): number {
  if (frame.url !== '') return SampleState.Js;
  if (BLOCKING_BINDINGS[frame.functionName] === callerUrl) return SampleState.Blocked;
  return META_STATES[frame.functionName] ?? SampleState.Js;
}

function ownLeaf(stack: number, ticks: number, state: number): Leaf {
  return { stack, ticks, state, owner: 'own' };
}

/** The leaf stacks of one node with hits: one a line, repaired where the line is another function's. */
class LeafReader {
  readonly #credited: Located | null;

  constructor(
    readonly node: V8Node,
    readonly nodes: ReadonlyMap<number, V8Node>,
    readonly caller: V8CallFrame | null,
    readonly dictionary: Dictionary,
    readonly callees: InlinedCallees,
  ) {
    this.#credited = (node.positionTicks ?? []).length === 0 ? null : callees.locate(node.callFrame);
  }

  read(hits: number, parent: number, functionId: number): Leaf[] {
    const { dictionary } = this;
    const { callFrame, positionTicks = [] } = this.node;
    const state = stateOf(callFrame, this.caller?.url ?? '');
    const leaves: Leaf[] = [];
    let left = hits;
    for (const { line, ticks: lineTicks } of positionTicks) {
      const ticks = Math.min(lineTicks, left);
      if (ticks === 0) break;
      left -= ticks;
      const owner = this.#ownerOf(line, ticks, positionTicks.length);
      if (owner === 'own') {
        const stack = dictionary.stack(parent, functionId, line);
        leaves.push(ownLeaf(stack, ticks, this.#stateAt(callFrame.url, line, state)));
      } else if (owner === 'unnamed') {
        leaves.push({ stack: dictionary.stack(parent, functionId, 0), ticks, state, owner });
      } else {
        const { url, range } = owner;
        const caller = dictionary.stack(parent, functionId, 0);
        const calleeId = dictionary.function(shownName(range), url, range.line, range.column);
        const stack = dictionary.stack(caller, calleeId, line);
        leaves.push({ stack, ticks, state: this.#stateAt(url, line, state), owner: 'repaired' });
      }
    }
    if (left > 0) leaves.push(ownLeaf(dictionary.stack(parent, functionId, 0), left, state));
    return leaves;
  }

  #ownerOf(line: number, ticks: number, lines: number): Owner {
    const { node, callees } = this;
    if (callees.isInside(this.#credited, line))
      return lines > 1 ? 'own' : callees.calledFrom(node.callFrame, line, ticks);
    return callees.ownerOf(this.#credited!, line, node.callFrame, this.#children());
  }

  #children(): V8CallFrame[] {
    return (this.node.children ?? []).flatMap((id) => this.nodes.get(id)?.callFrame ?? []);
  }

  #stateAt(url: string, line: number, state: number): number {
    return this.callees.scripts.textOf(url)?.waitLines.has(line) ? SampleState.Blocked : state;
  }
}
