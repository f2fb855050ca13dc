/**
 * The words that the WebAssembly core and TypeScript share. Plain enums only: this one file compiles both as
 * AssemblyScript and as TypeScript, so the two sides cannot drift apart. Offsets and sizes are bytes unless a name
 * says otherwise; everything is little-endian.
 *
 * Shared memory (one per process; made and filled in by the main thread, initial = maximum):
 *
 *          0 ┌──────────────────────────────────────────┐
 *            │ header: magic, version, sizes, two       │ CoreHeader
 *            │ process-wide atomic words                │
 *       4096 ├──────────────────────────────────────────┤
 *            │ bucket table: 256 u64                    │ CoreRegion.BucketTable   constant
 *       6144 ├──────────────────────────────────────────┤
 *            │ bucket midpoints: 128 f64                │ CoreRegion.Midpoints     constant
 *       7168 ├──────────────────────────────────────────┤
 *            │ bucket table of whole numbers: 256 u32   │ CoreRegion.WholeTable    constant
 *       8192 ├──────────────────────────────────────────┤
 *            │ 64 slots of 1024 B, one per host thread  │ SlotWord
 *     131072 ├──────────────────────────────────────────┤
 *            │ the reader's scratch, 256 KiB: counts,   │ CoreRegion.ReaderScratch
 *            │ then what was made of them               │ CoreRegion.ReaderDelta
 *     393216 ├──────────────────────────────────────────┤
 *            │ rings: slot 0 8192 records of 32 B,      │ RecordWord
 *            │ slots 1..63 4096 each                    │
 *    8912896 ├──────────────────────────────────────────┤
 *            │ arena: 256 chunks of 64 KiB; holds       │ ChunkWord, SeriesWord,
 *            │ series, histograms, octave pages         │ HistogramWord, PageWord
 *   25690112 └──────────────────────────────────────────┘
 *
 * Private memory of a CoreTables (one owner, no sharing) has its own header (TablesHeader), the same three constant
 * tables at the same places, then a heap from CoreRegion.TablesHeap on.
 *
 * Who writes, who reads (W = the slot's thread, R = the reader, that is, the agent thread; one each):
 *
 *   word                         written by     read by   the publishing store, and the load it pairs with
 *   CoreHeader.ArenaNext         any W (add)    any W     atomic add; no other word depends on it
 *   CoreHeader.SlotOverflow      any W (add)    R         atomic add; a plain total
 *   SlotWord.State               W, R (CAS)     W, R      W: Attached -> R's load in slots(); W or R: Detached -> R's
 *                                                         load in drain(); R: Free -> the next W's compare-exchange
 *   SlotWord.Tail                W              R         store in push -> load in peek: the record is complete
 *   SlotWord.Head                R              W         store in release -> load in claim: the place may be reused
 *   SlotWord.Claimed             W              W         places before it are free, or filled by W
 *   SlotWord.TailSeen            R              R         private copy of Tail
 *   SlotWord.Dropped[kind]       W              R         store of the count -> R's load: the time of the first is there
 *   SlotWord.DroppedTaken[kind]  R              W         store -> W's load at a drop: the next drop opens a new count
 *   SlotWord.SeriesFirst,        W              R         store -> R's load in takeNewSeries: the descriptor is complete
 *     SeriesWord.Next
 *   HistogramWord.Directory      W              R         store -> R's load: the page has been zeroed
 *   HistogramWord.Lowest         W, R          W, R      R stores +Infinity at a snapshot -> W's plain load, which may
 *                                                         come late: extremes are of the next snapshot from now on
 *   buckets, zero, sum, extremes W              R         plain 32- and 64-bit stores, each complete in itself; the
 *                                                         count of a snapshot is the sum of what its buckets gained
 *   PageWord.Previous            R              R         what the last snapshot saw (W zeroes it before it publishes)
 *   counter and gauge cells      W              R         one 64-bit atomic store -> R's load
 *
 * Words that W writes and words that R writes are at least 128 bytes apart wherever either is on a hot path.
 */

/** Places of the regions. */
export enum CoreRegion {
  BucketTable = 4096,
  Midpoints = 6144,
  WholeTable = 7168,
  Slots = 8192,
  ReaderScratch = 131072,
  ReaderDelta = 196608,
  Rings = 393216,
  Arena = 8912896,
  End = 25690112,
  /** In a CoreTables' memory only. */
  TablesHeap = 8192,
}

/** Sizes and limits of the core. */
export enum CoreLimit {
  Slots = 64,
  SlotBytes = 1024,
  RecordBytes = 32,
  /** Of slot 0, the main thread's. */
  MainRingRecords = 8192,
  ThreadRingRecords = 4096,
  /** Places of a ring that its producer claims at once, a power of two; a line of the processors' caches. */
  ClaimRecords = 64,
  LineBytes = 64,
  ChunkBytes = 65536,
  /** Kinds whose drops are counted one by one; kinds beyond count as kind 0. */
  DropKinds = 16,
  /** Series that one thread may create. */
  SeriesPerThread = 2048,
  /** Octaves of a histogram: values in (2^-10, 2^50]; lower ones count as zero, higher ones in the last bucket. */
  Octaves = 60,
  /** The exponent of the lowest octave, and its biased form as the bits of an f64 have it. */
  LowestExponent = -10,
  LowestBiasedExponent = 1013,
  /** Buckets of an octave: scale 7. */
  SubBuckets = 128,
  /** Bytes that one bucket takes at most in a delta (two symbols of 171 and 39 bits), and all of them. */
  BucketBytes = 27,
  DeltaBytes = 207387,
  /** Samples in one set of columns. */
  ColumnSamples = 65536,
  /** Largest stack id that columns can carry. */
  ColumnStackId = 1073741823,
  /** Stacks kept in a column's table of recent ones: these take one byte. */
  ColumnRecentStacks = 32,
  /** Steps of time that the typical one is chosen from; at most ColumnRecentStacks. */
  ColumnStepLooks = 31,
  /** Bytes that one sample takes at most in a set of columns, and the step and the four lengths before them. */
  ColumnSampleBytes = 23,
  ColumnLengthBytes = 25,
}

/** Process-wide words of the shared memory. */
export enum CoreHeader {
  /** 'RTC1' read as a little-endian u32. Written last by the creator. */
  Magic = 0,
  LayoutVersion = 4,
  TotalBytes = 8,
  SlotCount = 12,
  /** Arena: next unclaimed byte (may run past the end when several threads find it full). */
  ArenaNext = 128,
  /** Threads that found no slot. */
  SlotOverflow = 132,
}

/** Values of the header's first two words. */
export enum CoreIdentity {
  Magic = 826496082,
  LayoutVersion = 3,
}

/** One host thread's block. */
export enum SlotWord {
  /** Producer's line. Positions are u32 that only grow; compare them by wrapping subtraction. */
  Tail = 0,
  /** The producer's own: places from Tail up to here are free and claimed. */
  Claimed = 4,
  /** Where the ring is, and its records − 1. Constant. */
  RingAt = 8,
  RingMask = 12,
  ArenaCursor = 16,
  ArenaLimit = 20,
  /** The chunk that the cursor is in; its first chunk. Chunks stay with the slot when its thread goes. */
  ArenaChunk = 24,
  ArenaFirstChunk = 28,
  /** First series descriptor, 0 for none. */
  SeriesFirst = 32,
  /** Series that did not fit, a plain total. */
  SeriesLost = 36,
  /** Consumer's line. */
  Head = 128,
  TailSeen = 132,
  /** threadId << 2 | SlotPhase. */
  State = 256,
  /** DropKinds × 16 bytes, see DropWord. */
  Dropped = 384,
  /** DropKinds × u32: the count that the reader has taken. */
  DroppedTaken = 768,
}

export enum SlotPhase {
  Free = 0,
  Attaching = 1,
  Attached = 2,
  Detached = 3,
}

export enum DropWord {
  Count = 0,
  /** f64, µs: the first one that the reader has not taken. */
  FirstMicros = 8,
}

/** A record of a ring: 32 bytes. */
export enum RecordWord {
  Kind = 0,
  A = 4,
  B = 8,
  /** The record's position, so that a reader can tell a place from what is in it. */
  Position = 12,
  StartMicros = 16,
  DurationMicros = 24,
}

/** The start of an arena chunk. */
export enum ChunkWord {
  /** The slot's next chunk, 0 for none. */
  Next = 0,
  /** What is handed out begins here. */
  First = 64,
}

/** A series' descriptor in the arena. */
export enum SeriesWord {
  /** The slot's next descriptor, 0 for none. */
  Next = 0,
  /** SeriesKind. */
  Kind = 4,
  /** The histogram, or the f64 cell: the series' handle. */
  Cell = 8,
  /** Strings that follow: name, unit, then the labels. */
  StringCount = 12,
  /** Each: u32 length in bytes, then that much UTF-8; not padded. */
  Strings = 16,
}

/** A histogram that a host thread records into: 512 bytes in the arena, aligned to 128. */
export enum HistogramWord {
  /** f64: all values so far, times 2^-40: V8 14 adds numbers that it has only seen whole by way of int64, in twice the time. */
  Sum = 0,
  /** The slot block that pages are taken from. */
  Slot = 8,
  /** f64: extremes since the reader last looked. Lowest is +Infinity until the first value after that. */
  Lowest = 16,
  Highest = 24,
  /** u32: values of zero, and positive ones up to 2^-10. */
  Zero = 32,
  /** u32 totals of what was refused (the first four: in no bucket) or put at an edge (the last two). */
  NotANumber = 36,
  Negative = 40,
  Infinite = 44,
  Unplaced = 48,
  Low = 52,
  High = 56,
  /** Reader's line. */
  PreviousZero = 128,
  PreviousSum = 136,
  /** Octaves × u32: the octave's page, 0 until its first value. */
  Directory = 256,
  Bytes = 512,
}

/** An octave of such a histogram: SubBuckets u32 each. */
export enum PageWord {
  Counts = 0,
  Previous = 512,
  Bytes = 1024,
}

/** What a snapshot leaves in the reader's scratch: four f64, then the encoded buckets. */
export enum DeltaWord {
  Count = 0,
  Sum = 8,
  Min = 16,
  Max = 24,
  Buckets = 32,
}

/** Process-private words of a CoreTables' memory. */
export enum TablesHeader {
  /** Heap: next free byte, end, first returned page (their first word links them), first returned merged histogram. */
  HeapCursor = 128,
  HeapEnd = 132,
  FreePage = 136,
  FreeMerged = 140,
}

/** The scratch for a histogram's counts, on their way to bytes or back. */
export enum CountsWord {
  /** u64: the next bit, counted from address 0, and the first one that is not there. */
  Bit = 0,
  EndBit = 8,
  /** f64 for each key. */
  Counts = 16,
  Bytes = 61504,
}

/**
 * A histogram that deltas are added into, in a CoreTables' heap. A bucket has a u32; only where all counts together are
 * 2^32 and more there may be a second page with the bits above, so that counts are exact up to 2^53.
 */
export enum MergedWord {
  Count = 0,
  Sum = 8,
  Min = 16,
  Max = 24,
  /** f64. */
  Zero = 32,
  /** Octaves × u32: pages of SubBuckets u32. */
  Directory = 64,
  HighDirectory = 320,
  Bytes = 576,
  PageBytes = 512,
}

/** A call tree, followed by its entries and its hash table. */
export enum TreeWord {
  Size = 0,
  Capacity = 4,
  /** Places of the hash table in use − 1; it doubles with the entries. */
  HashMask = 8,
  HashAt = 12,
  EntriesAt = 16,
  Bytes = 64,
  /** An entry: parent, function, line, each u32. Entry of id n at EntriesAt + 12 n. */
  EntryBytes = 12,
  FirstHashMask = 255,
}

/** Why a function of the core refused; negative results. */
export enum CoreRefusal {
  /** The ring is full: the record was dropped and counted. */
  Full = -1,
  /** Bytes that are not what they should be. */
  Malformed = -2,
}

/** What a 32-byte ring record tells. `a`, `b` per kind are given at each member. Times are CLOCK_MONOTONIC microseconds. */
export enum RecordKind {
  /** One garbage collection. a = perf_hooks kind (1 minor, 2 minor mark-sweep, 4 major, 8 incremental, 16 weak callbacks), b = perf_hooks flags. */
  Gc = 1,
  /** One server request, from its start to the close of its response. a: HttpRequestBits (status 0: aborted before headers), b = handle of the series it was recorded in. */
  HttpServer = 2,
  /** One user span (a timer that was asked to leave spans). a = series id, b = 0. */
  Span = 3,
  /** The heap, read in the loop's first turn after a major collection. a = used by objects, b = committed to the heap, both KiB; start: when it was read, duration: how long after the collection's end. */
  HeapAfterMajor = 4,
  /** From start on the thread runs under another set of labels. a = handle of the SeriesKind.Label series, or LabelBits.Request and a request's number; 0: none. */
  Label = 5,
  /** Which series a request that labels were told of belongs to. a = the request's number, b = handle of the series. */
  LabelledRequest = 6,
  /** A wait for a turn that is to be in the mutex profile. a = handle of the histogram it was recorded in, b: WaitBits. */
  Wait = 7,
}

/** `b` of a RecordKind.Wait: below, how many waits this one stands for (2^n), then the number of the stack that waited, 0 for unknown. */
export enum WaitBits {
  ShiftMask = 31,
  StackShift = 5,
}

/** `a` of a RecordKind.Label. */
export enum LabelBits {
  /** The rest is the number of a request whose route is told when it ends. */
  Request = 2147483648,
  RequestMask = 2147483647,
}

/** `a` of a RecordKind.HttpServer: status code below, then the method's index, then whether it was aborted. */
export enum HttpRequestBits {
  StatusMask = 1023,
  MethodShift = 10,
  MethodMask = 15,
  Aborted = 16384,
}

/** What a series holds. */
export enum SeriesKind {
  Histogram = 1,
  Counter = 2,
  Gauge = 3,
  /** No figures: a set of labels, which samples are told to be under by its handle. */
  Label = 4,
}

/** What the thread was doing when a sample was taken. Travels as one column of a sample. */
export enum SampleState {
  /** Running JavaScript, a builtin or a regular expression: counts as CPU. */
  Js = 0,
  /** Collecting garbage. */
  Gc = 1,
  /** In native code with no JavaScript on the stack. */
  Program = 2,
  /** Waiting in the event loop: wall time, never CPU. */
  Idle = 3,
  /** The leaf is a builtin that blocks without burning (Atomics.wait, execSync, ...): wall and block, never CPU. */
  Blocked = 4,
}

/** How far the agent thread is; the value of the control word AgentState. */
export enum AgentState {
  Booting = 0,
  Ready = 1,
  Closing = 2,
  Closed = 3,
  Failed = 4,
  /** Closing, and no session of the inspector is open any more: main may leave, but data are still on their way. */
  LetGo = 5,
}

/**
 * The control page between a host's main thread and the agent thread: i32 words, index in units of 4 bytes.
 * Its own SharedArrayBuffer of 512 bytes: words 0..31 are these, bytes 256..511 are the f64 cells of ControlCell.
 */
export enum ControlWord {
  /** AgentState. Written by the agent thread, read by main (exit handshake). */
  AgentState = 0,
  /** 1 when main is leaving. Written by main in its `exit` event, read by the agent thread, which sleeps on Wake. */
  ExitRequested = 1,
  /** Exit code, valid once ExitRequested is 1. */
  ExitCode = 2,
  /** Bumped by main to wake the agent thread (Atomics.notify pairs with Atomics.waitAsync there). */
  Wake = 3,
  /** Ping number, written by the agent thread before it posts the ping. */
  PingSequence = 4,
  /** The last ping that main answered; stored after the cells below, so that a reader of this word sees them. */
  PongSequence = 5,
  /** Faults the agent caught inside the host's threads (each costs data, never the process). */
  HostFaults = 6,
  /** 1 while main asks the agent thread to stop (API stop()), 2 when it asks to flush. */
  Request = 7,
  /** 0 = main answers pings, 1 = it does not or no longer: then an open ping says nothing about the event loop. Written by main, read by the agent thread. */
  PingsEnded = 8,
  /** The kernel's id of the agent thread, 0 where it is not known. Written by the agent thread before it is ready, read by main at exit. */
  AgentThread = 9,
}

/** f64 cells of the control page; index in units of 8 bytes from its byte 256. Written by main when it answers a ping. */
export enum ControlCell {
  /** When the agent thread sent the ping (written by the agent thread). */
  PingAtMicros = 0,
  /** When main answered. */
  PongAtMicros = 1,
  /** Event loop idle and active time since start, milliseconds (performance.eventLoopUtilization). */
  LoopIdleMillis = 2,
  LoopActiveMillis = 3,
  HeapUsedBytes = 4,
  HeapTotalBytes = 5,
  HeapLimitBytes = 6,
  ExternalBytes = 7,
  /** When the heap figures were read. */
  HeapAtMicros = 8,
  /** What the agent's own callbacks on main have cost so far, microseconds. */
  SelfMicros = 9,
  /** Of the event loop since start, where the runtime tells (libuv's metrics): turns, events, and those of them that had been waiting. */
  LoopTurns = 10,
  LoopEvents = 11,
  LoopEventsWaiting = 12,
}

/**
 * What main tells the agent thread of its live asynchronous resources (timers, sockets, servers, requests, promises):
 * each with its type, when and on what stack it was made. A SharedArrayBuffer of its own, so that it can be read while
 * main hangs, also in native code. Its pages are first touched when hooks are switched on. Offsets in bytes:
 *
 *          0 ┌──────────────────────────────────────────┐
 *            │ main's words (i32), main's cells (f64),  │ AsyncWord, AsyncCell
 *            │ from 256 on the agent thread's words     │
 *        512 ├──────────────────────────────────────────┤
 *            │ 128 types of 8 B                         │ AsyncType      type 0: '(other)'
 *       1536 ├──────────────────────────────────────────┤
 *            │ 8192 strings of 8 B                      │ AsyncString    string 0: ''
 *      67072 ├──────────────────────────────────────────┤
 *            │ 8192 frames of 16 B                      │ AsyncFrame     frame 0: unknown
 *     198144 ├──────────────────────────────────────────┤
 *            │ 16384 stacks of 24 B                     │ AsyncStack     stack 0: the empty one
 *     591360 ├──────────────────────────────────────────┤
 *            │ 50000 rows of 32 B                       │ AsyncRow       one live resource each
 *    2191360 ├──────────────────────────────────────────┤
 *            │ text, 524288 UTF-16 units                │
 *    3239936 └──────────────────────────────────────────┘
 *
 * Main writes all of it but the words from AsyncWord.Wanted on, which are the agent thread's. Types, strings, frames and
 * stacks are only ever appended: main fills an entry, then publishes it by an atomic store of their count, which pairs
 * with the reader's load of it. A row is filled, then its Version becomes odd; it is given back by making it even: a
 * reader that sees the same odd Version before and after has read one resource. All figures wrap at 2^32.
 */
export enum AsyncRegion {
  Types = 512,
  Strings = 1536,
  Frames = 67072,
  Stacks = 198144,
  Rows = 591360,
  Text = 2191360,
  End = 3239936,
}

export enum AsyncLimit {
  Types = 128,
  Strings = 8192,
  Frames = 8192,
  Stacks = 16384,
  Rows = 50000,
  TextUnits = 524288,
  /** Levels of a stack, from its leaf. */
  StackFrames = 24,
}

/** What hooks do, as bits: AsyncWord.State and AsyncWord.Wanted. */
export enum AsyncBit {
  /** Resources are followed from init to destroy. */
  Hooks = 1,
  /** Their first callback is waited for. */
  Waits = 2,
  /** Promises are followed, too. */
  Promises = 4,
  /** In State only: hooks were wanted, but here they follow promises, which the program has not allowed. */
  Refused = 8,
}

/** i32 words; index in units of 4 bytes. */
export enum AsyncWord {
  /** AsyncBit: what is on. Stored after Since and after the rows were cleared. */
  State = 0,
  /** How often hooks were switched on; rows before a change are gone. */
  Generation = 1,
  /** Calls of the hooks. */
  Events = 2,
  /** Stacks taken. */
  Captures = 3,
  /** Resources not followed: their stack could not be taken; no row was free. */
  Missed = 5,
  Full = 6,
  /** Rows ever used: readers stop there. */
  RowsEnd = 7,
  RowsUsed = 8,
  /** Entries that readers may look at. */
  TypeCount = 9,
  StringCount = 10,
  FrameCount = 11,
  StackCount = 12,
  /** Bumped when AsyncType.Active of all types is new. */
  Looks = 13,
  /** What the agent thread wants: AsyncBit; a look at the active resources when LookWanted changes. */
  Wanted = 64,
  LookWanted = 65,
  /** Stacks that may be taken until Refill changes again. Stored before Refill. */
  Quota = 66,
  Refill = 67,
}

/** f64 cells of main; index in units of 8 bytes. */
export enum AsyncCell {
  /** When hooks were switched on, and waits; µs. */
  SinceMicros = 16,
  WaitsSinceMicros = 17,
  /** What taking stacks has cost, µs. */
  CaptureMicros = 18,
  /** When the active resources were counted last, and what that cost, µs. */
  LookAtMicros = 19,
  LookMicros = 20,
}

/** Words of a type. */
export enum AsyncType {
  /** String id of its name. */
  Name = 0,
  /** How many process.getActiveResourcesInfo() told. */
  Active = 1,
  Words = 2,
}

export enum AsyncString {
  /** Place in the text and length, UTF-16 units. */
  At = 0,
  Units = 1,
  Words = 2,
}

export enum AsyncFrame {
  /** String ids. */
  Name = 0,
  Url = 1,
  /** Where the call stands, 1-based. */
  Line = 2,
  Column = 3,
  Words = 4,
}

/** Stacks are root first: the parent is nearer to the root. Waits: how many first callbacks came; their f64 sum, µs. */
export enum AsyncStack {
  Parent = 0,
  Frame = 1,
  Waits = 2,
  /** In units of 8 bytes. */
  WaitMicrosCell = 2,
  Words = 6,
}

export enum AsyncRow {
  /** Odd while the row is in use. */
  Version = 0,
  /** Stack id; of a free row: the next free row plus one. */
  Stack = 1,
  /** Type id, and from bit AsyncRow.FlagsBit on: the shift it was chosen with (5 bits), has run. */
  Kind = 2,
  /** What a timer was set to, ms. */
  DelayMillis = 3,
  /** In units of 8 bytes. */
  IdCell = 2,
  CreatedMicrosCell = 3,
  Words = 8,
  FlagsBit = 16,
  ShiftMask = 31,
  HasRun = 32,
}
