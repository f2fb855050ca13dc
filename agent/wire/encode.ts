/**
 * Messages to bytes and back, the agent's half. Tuples only: no records, no extensions, so the bytes are plain msgpack.
 * What the collector sends is small and comes from a peer that proved the token; its shape is still checked here.
 */
import { Packr, Unpackr } from 'msgpackr/index-no-eval';
import { WIRE_LIMITS } from './limits';
import {
  type AgentMessage,
  type CollectorMessage,
  TAG_ACK,
  TAG_CHALLENGE,
  TAG_CONTROL,
  TAG_ERROR,
  TAG_WELCOME,
} from './schema';

const SETTINGS = {
  useRecords: false,
  structuredClone: false,
  moreTypes: false,
  variableMapSize: true,
} as const;
const packr = new Packr(SETTINGS);
const unpackr = new Unpackr(SETTINGS);

/** The bytes of one message, a buffer of its own. */
export function encodeMessage(message: AgentMessage): Uint8Array {
  return Uint8Array.prototype.slice.call(packr.pack(message));
}

/** A collector's message, or null where the bytes are not one (the caller closes the connection and counts it). */
export function decodeCollectorMessage(bytes: Uint8Array): CollectorMessage | null {
  if (bytes.length === 0 || bytes.length > WIRE_LIMITS.stringBytes * 2) return null;
  try {
    const message: unknown = unpackr.unpack(bytes);
    return isCollectorMessage(message) ? message : null;
  } catch {
    return null;
  }
}

const count = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= -1;
const text = (value: unknown): boolean => typeof value === 'string';
const binary = (value: unknown, length: number): boolean =>
  value instanceof Uint8Array && value.length === length;

function isCollectorMessage(message: unknown): message is CollectorMessage {
  if (!Array.isArray(message)) return false;
  switch (message[0]) {
    case TAG_CHALLENGE:
      return count(message[1]) && binary(message[2], 16) && text(message[3]);
    case TAG_WELCOME:
      return (
        count(message[1]) &&
        binary(message[2], 32) &&
        count(message[3]) &&
        text(message[4]) &&
        count(message[5])
      );
    case TAG_ACK:
      return count(message[1]);
    case TAG_CONTROL:
      return count(message[1]) && text(message[2]) && count(message[3]) && text(message[4]);
    case TAG_ERROR:
      return text(message[1]) && text(message[2]);
    default:
      return false;
  }
}
