/**
 * The functions of the core as JavaScript calls them: what assembly/index.ts exports, and what the twin implements.
 * All arguments are numbers: places in memory (bytes), u32 and f64. Results that are u32 come back as i32 from
 * WebAssembly; they are below 2^31 wherever JavaScript looks at them.
 */
export type CoreExports = {
  allocate(slot: number, bytes: number): number;
  keyOf(value: number): number;
  midpointOf(key: number): number;

  push(slot: number, kind: number, a: number, b: number, startMicros: number, durationMicros: number): number;
  peek(slot: number, most: number): number;
  release(slot: number, count: number): void;

  histogramCreate(slot: number): number;
  histogramRecordApart(base: number, value: number): void;
  histogramDelta(base: number, out: number, scratch: number): number;

  cellCreate(slot: number): number;
  cellAdd(cell: number, delta: number): void;
  cellSet(cell: number, value: number): void;
  cellRead(cell: number): number;

  mergedCreate(): number;
  mergedClear(base: number): void;
  mergedFree(base: number): void;
  mergedRecord(base: number, value: number): number;
  mergedRecordMany(base: number, at: number, stride: number, count: number): number;
  mergedAdd(base: number, at: number, length: number, scratch: number): number;
  mergedMerge(base: number, other: number): number;
  mergedQuantiles(base: number, qs: number, count: number, out: number): void;
  mergedEncode(base: number, out: number, scratch: number): number;

  treeInit(base: number, capacity: number, hashAt: number): void;
  treeClear(base: number): void;
  treeIntern(base: number, parent: number, functionId: number, line: number): number;

  columnsEncode(
    times: number,
    stacks: number,
    labels: number,
    states: number,
    count: number,
    startMicros: number,
    recent: number,
    out: number,
  ): number;
  columnsDecode(
    at: number,
    length: number,
    count: number,
    startMicros: number,
    times: number,
    stacks: number,
    labels: number,
    states: number,
    recent: number,
  ): number;
};

/** One instance of the core over one memory. */
export type CoreEngine = { kind: 'wasm' | 'twin'; core: CoreExports; buffer: SharedArrayBuffer };
