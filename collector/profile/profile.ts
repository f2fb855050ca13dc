/**
 * A profile: stacks with values, as tables. Strings, functions and locations (a function at a line and column) are
 * interned, and stacks form a call tree: a node is (parent node, location), node 0 the root. A sample is (node, label
 * set) with one value for each sample type; adding to a sample that exists adds the values, so merging is addition.
 *
 * An inlined call is a level of the stack like any other; its location says that the machine code is the parent's. So
 * whoever walks stacks need not know of inlining, and formats that do (pprof's locations of several lines) can tell.
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
  /** The type of the sample type that is shown first; where it is not given, as in most of Go's, readers take the last. */
  defaultSampleType?: string;
};

/** Key and value, key and value, sorted by key. */
export type LabelSet = readonly string[];

/** A label that is a number, like the size of an allocated object. unit: '' where there is none. */
export type NumericLabel = { key: string; value: number; unit: string };

export type LocationPlace = {
  /** 1-based, 0 unknown. */
  column?: number;
  /** The call was inlined: it runs in the code of the frame above it, the parent node. */
  inlined?: boolean;
};

const NO_PLACE: LocationPlace = {};

export type ProfileFunction = {
  name: string;
  systemName: string;
  file: string;
  startLine: number;
  startColumn: number;
};

/** Room for ids in a pair that is packed into one number. */
const PAIR_FACTOR = 2 ** 26;

export class Profile {
  head: ProfileHead;
  readonly strings = new StringTable();
  /** Four a function: name, system name, file (string ids), start line. Function 0 does not exist. */
  readonly functions: number[] = [0, 0, 0, 0];
  /** One a function: the column that it starts at, which tells functions of a generated line apart. */
  readonly startColumns: number[] = [0];
  /** Two a location: function, line. Location 0 does not exist. */
  readonly locations: number[] = [0, 0];
  /** One a location: its column, 0 unknown. */
  readonly columns: number[] = [0];
  /** One a location: 1 where the call was inlined into the parent node's. */
  readonly inlined: number[] = [0];
  /** Two a node: parent, location. Node 0 is the root. */
  readonly nodes: number[] = [0, 0];
  readonly labelSets: LabelSet[] = [[]];
  /** The numbers of each label set, sorted by key. */
  readonly numericLabels: (readonly NumericLabel[])[] = [[]];
  /** Two a sample: node, label set. */
  readonly samples: number[] = [];
  /** One a sample and sample type. */
  readonly values: number[] = [];
  #functionIds = new Map<string, number>();
  #locationIds = new Map<number, number>();
  /** Locations with more than a function and a line. */
  #placedIds = new Map<string, number>();
  #nodeIds = new Map<number, number>();
  #labelSetIds = new Map<string, number>([['', 0]]);
  /** One a node: the index of its first sample, -1 without one; most have no other. */
  #firstSamples: number[] = [-1];
  #sampleIds = new Map<number, number>();

  constructor(head: ProfileHead) {
    this.head = head;
  }

  get sampleCount(): number {
    return this.samples.length / 2;
  }

  /** startLine, startColumn: 1-based, 0 unknown. */
  function(name: string, systemName: string, file: string, startLine: number, startColumn = 0): number {
    const { strings } = this;
    const [nameId, systemNameId, fileId] = [strings.id(name), strings.id(systemName), strings.id(file)];
    const key = `${startLine},${startColumn},${nameId},${systemNameId},${fileId}`;
    const known = this.#functionIds.get(key);
    if (known !== undefined) return known;
    const id = this.functions.push(nameId, systemNameId, fileId, startLine) / 4 - 1;
    this.startColumns.push(startColumn);
    this.#functionIds.set(key, id);
    return id;
  }

  /** line: 1-based, 0 unknown. */
  location(
    functionId: number,
    line: number,
    { column = 0, inlined = false }: LocationPlace = NO_PLACE,
  ): number {
    const plain = column === 0 && !inlined && line < PAIR_FACTOR;
    const key = plain ? functionId * PAIR_FACTOR + line : `${functionId},${line},${column},${inlined}`;
    const known = typeof key === 'number' ? this.#locationIds.get(key) : this.#placedIds.get(key);
    if (known !== undefined) return known;
    const id = this.locations.push(functionId, line) / 2 - 1;
    this.columns.push(column);
    this.inlined.push(inlined ? 1 : 0);
    if (typeof key === 'number') this.#locationIds.set(key, id);
    else this.#placedIds.set(key, id);
    return id;
  }

  /** The node below `parent`; 0 is the root. */
  node(parent: number, locationId: number): number {
    const key = parent * PAIR_FACTOR + locationId;
    const known = this.#nodeIds.get(key);
    if (known !== undefined) return known;
    const id = this.nodes.push(parent, locationId) / 2 - 1;
    this.#firstSamples.push(-1);
    this.#nodeIds.set(key, id);
    return id;
  }

  /** labels: flat key, value. A key may come more than once. */
  labelSet(labels: readonly string[], numbers: readonly NumericLabel[] = []): number {
    const pairs: [string, string][] = [];
    for (let index = 0; index + 1 < labels.length; index += 2)
      pairs.push([labels[index]!, labels[index + 1]!]);
    pairs.sort((left, right) => byText(left[0], right[0]));
    let key = '';
    for (const [name, value] of pairs) key += `${name.length},${value.length},${name}${value}`;
    const sorted =
      numbers.length < 2 ? numbers : [...numbers].sort((left, right) => byText(left.key, right.key));
    for (const { key: name, value, unit } of sorted)
      key += `#${value},${name.length},${unit.length},${name}${unit}`;
    const known = this.#labelSetIds.get(key);
    if (known !== undefined) return known;
    const id = this.labelSets.push(pairs.flat()) - 1;
    this.numericLabels.push(sorted);
    this.#labelSetIds.set(key, id);
    return id;
  }

  /** values: one for each sample type. */
  add(node: number, labelSet: number, values: readonly number[]): void {
    const stride = this.head.sampleTypes.length;
    const index = this.#sampleOf(node, labelSet, stride);
    for (let type = 0; type < stride; type++) this.values[index * stride + type]! += values[type] ?? 0;
  }

  /** The index of a sample, made when it is new. */
  #sampleOf(node: number, labelSet: number, stride: number): number {
    const first = this.#firstSamples[node]!;
    if (first >= 0 && this.samples[first * 2 + 1] === labelSet) return first;
    const key = node * PAIR_FACTOR + labelSet;
    const known = this.#sampleIds.get(key);
    if (known !== undefined) return known;
    const index = this.sampleCount;
    if (first < 0) this.#firstSamples[node] = index;
    else this.#sampleIds.set(key, index);
    this.samples.push(node, labelSet);
    for (let type = 0; type < stride; type++) this.values.push(0);
    return index;
  }

  /** The sample type that is shown first: its index. */
  get defaultValueIndex(): number {
    const { sampleTypes, defaultSampleType } = this.head;
    const named = sampleTypes.findIndex(({ type }) => type === defaultSampleType);
    return named < 0 ? sampleTypes.length - 1 : named;
  }

  /** The nodes' locations from the leaf to the root. */
  locationsOf(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== 0; at = this.nodes[at * 2]!) path.push(this.nodes[at * 2 + 1]!);
    return path;
  }

  placeOf(location: number): LocationPlace {
    return { column: this.columns[location]!, inlined: this.inlined[location] === 1 };
  }

  functionOf(location: number): ProfileFunction {
    return this.functionAt(this.locations[location * 2]!);
  }

  functionAt(id: number): ProfileFunction {
    const at = id * 4;
    return {
      name: this.strings.get(this.functions[at]!),
      systemName: this.strings.get(this.functions[at + 1]!),
      file: this.strings.get(this.functions[at + 2]!),
      startLine: this.functions[at + 3]!,
      startColumn: this.startColumns[id]!,
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

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
