/** Everything an agent's connection can be refused for: the one list of codes, and the WebSocket close code of each. */

export const WIRE_ERRORS = {
  /** Not msgpack, or msgpack beyond the limits of depth and number of values. */
  ERR_WIRE_ENCODING: 1007,
  /** A well-formed message that says something the schema does not allow. */
  ERR_WIRE_MESSAGE: 1007,
  /** More of something than WIRE_LIMITS allows. */
  ERR_WIRE_LIMIT: 1009,
  /** An id that the epoch's dictionary does not know, or a dictionary that does not continue what is known. */
  ERR_WIRE_DICTIONARY: 1007,
  /** Sample columns or histogram buckets that do not decode. */
  ERR_WIRE_COLUMNS: 1007,
  ERR_WIRE_BUCKETS: 1007,
  /** Another version of the schema. */
  ERR_WIRE_VERSION: 1002,
  /** The proof of the token is wrong. */
  ERR_WIRE_PROOF: 1008,
  /** A message at a time when the protocol has no place for it. */
  ERR_WIRE_ORDER: 1002,
  /** No HELLO in time, or no answer to heartbeats. */
  ERR_WIRE_TIMEOUT: 1008,
  /** The same agent connected again. */
  ERR_WIRE_SUPERSEDED: 1008,
  /** More agents than this collector takes. */
  ERR_WIRE_AGENTS: 1013,
  /** The store did not take a batch; the agent keeps it and tries again. */
  ERR_WIRE_STORE: 1011,
  /** A fault of the collector itself. */
  ERR_WIRE_INTERNAL: 1011,
} as const;

export type WireErrorCode = keyof typeof WIRE_ERRORS;

export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.name = 'WireError';
    this.code = code;
  }
}
