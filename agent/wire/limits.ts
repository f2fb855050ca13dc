/** Every limit of the wire, in one place: name, unit last, value. The sender keeps them, the receiver enforces them. */
export const WIRE_LIMITS = {
  /** One WebSocket message. */
  messageBytes: 4 * 1024 * 1024,
  /** Depth of msgpack nesting in any message. */
  nestingDepth: 6,
  /** msgpack values in one message, counted before anything is built. */
  messageValues: 400_000,
  stringBytes: 4096,
  /** HELLO, and with it everything that comes before the token is proven. */
  helloBytes: 65_536,
  helloValues: 256,
  labelPairs: 32,
  windowsPerBatch: 64,
  samplesPerWindow: 65_536,
  seriesPerBatch: 4096,
  valuesPerBatch: 16_384,
  eventsPerBatch: 16_384,
  lossesPerBatch: 64,
  /** Strings, functions and stacks that an epoch may define; three quarters full starts a new epoch. */
  epochStrings: 65_536,
  epochFunctions: 65_536,
  epochStacks: 262_144,
  /** One DATA message, and all of them together that answer one collect. */
  dataBytes: 256 * 1024,
  collectBytes: 64 * 1024 * 1024,
  /** Strings, and columns of functions and stacks, of one dictionary message, unpacked. */
  dictionaryPartBytes: 4 * 1024 * 1024,
  /** Unacknowledged bytes in flight. */
  creditBytes: 8 * 1024 * 1024,
} as const;
