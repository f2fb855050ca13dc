/**
 * A profile: stacks with values, as tables. Strings, functions and locations (a function at a line) are interned, and
 * stacks form a call tree: a node is (parent node, location), node 0 the root. A sample is (node, label set) with one
 * value for each sample type; adding to a sample that exists adds the values, so merging is addition.
 */

export type ValueType = { type: string; unit: string };

export type ProfileHead = {
  sampleTypes: readonly ValueType[];
  periodType: ValueType;
  /** In units of the period type. */
  period: number;
  /** When it begins, wall clock ms. */
  startMillis: number;
  durationNanos: number;
  /** Shown as the "file" that was profiled. */
  program: string;
  comments: string[];
};

/** Key and value, key and value, sorted by key. */
export type LabelSet = readonly string[];

/** Room for ids in a pair that is packed into one number. */
const PAIR_FACTOR = 2 ** 26;

export class Profile {
  head: ProfileHead;
  readonly strings = new StringTable();
  /** Four a function: name, system name, file (string ids), start line. Function 0 does not exist. */
  readonly functions: number[] = [0, 0, 0, 0];
  /** Two a location: function, line. Location 0 does not exist. */
  readonly locations: number[] = [0, 0];
  /** Two a node: parent, location. Node 0 is the root. */
  readonly nodes: number[] = [0, 0];
  readonly labelSets: LabelSet[] = [[]];
  /** Two a sample: node, label set. */
  readonly samples: number[] = [];
  /** One a sample and sample type. */
  readonly values: number[] = [];
  #functionIds = new Map<string, number>();
  #locationIds = new Map<number, number>();
  #nodeIds = new Map<number, number>();
  #labelSetIds = new Map<string, number>([['', 0]]);
  #sampleIds = new Map<number, number>();

  constructor(head: ProfileHead) {
    this.head = head;
  }

  get sampleCount(): number {
    return this.samples.length / 2;
  }

  /** startLine: 1-based, 0 unknown. */
  function(name: string, systemName: string, file: string, startLine: number): number {
    const key = `${startLine}\n${name}\n${systemName}\n${file}`;
    const known = this.#functionIds.get(key);
    if (known !== undefined) return known;
    const { strings } = this;
    const words = this.functions.push(strings.id(name), strings.id(systemName), strings.id(file), startLine);
    const id = words / 4 - 1;
    this.#functionIds.set(key, id);
    return id;
  }

  location(functionId: number, line: number): number {
    return intern(this.#locationIds, this.locations, functionId, line);
  }

  /** The node below `parent`; 0 is the root. */
  node(parent: number, locationId: number): number {
    return intern(this.#nodeIds, this.nodes, parent, locationId);
  }

  /** labels: flat key, value. */
  labelSet(labels: readonly string[]): number {
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < labels.length; index += 2)
      pairs.push([labels[index]!, labels[index + 1]!]);
    pairs.sort((left, right) => (left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : 0));
    const key = pairs.map(([name, value]) => `${name}\0${value}`).join('\n');
    const known = this.#labelSetIds.get(key);
    if (known !== undefined) return known;
    const id = this.labelSets.push(pairs.flat()) - 1;
    this.#labelSetIds.set(key, id);
    return id;
  }

  /** values: one for each sample type. */
  add(node: number, labelSet: number, values: readonly number[]): void {
    const key = node * PAIR_FACTOR + labelSet;
    const stride = this.head.sampleTypes.length;
    let index = this.#sampleIds.get(key);
    if (index === undefined) {
      index = this.sampleCount;
      this.#sampleIds.set(key, index);
      this.samples.push(node, labelSet);
      for (let type = 0; type < stride; type++) this.values.push(0);
    }
    for (let type = 0; type < stride; type++) this.values[index * stride + type]! += values[type] ?? 0;
  }

  /** The nodes' locations from the leaf to the root. */
  locationsOf(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== 0; at = this.nodes[at * 2]!) path.push(this.nodes[at * 2 + 1]!);
    return path;
  }

  functionOf(location: number): { name: string; systemName: string; file: string; startLine: number } {
    const at = this.locations[location * 2]! * 4;
    return {
      name: this.strings.get(this.functions[at]!),
      systemName: this.strings.get(this.functions[at + 1]!),
      file: this.strings.get(this.functions[at + 2]!),
      startLine: this.functions[at + 3]!,
    };
  }
}

/** Strings by id; 0 is ''. */
export class StringTable {
  readonly list: string[] = [''];
  #ids = new Map<string, number>([['', 0]]);

  id(string: string): number {
    const known = this.#ids.get(string);
    if (known !== undefined) return known;
    const id = this.list.push(string) - 1;
    this.#ids.set(string, id);
    return id;
  }

  get(id: number): string {
    return this.list[id] ?? '';
  }
}

function intern(ids: Map<number, number>, table: number[], first: number, second: number): number {
  const key = first * PAIR_FACTOR + second;
  const known = ids.get(key);
  if (known !== undefined) return known;
  const id = table.push(first, second) / 2 - 1;
  ids.set(key, id);
  return id;
}
