/** The collector's codec: the one place that knows msgpackr. Incoming bytes are scanned before they are decoded. */
import { Packr, Unpackr } from 'msgpackr/index-no-eval';
import type { CollectorMessage } from '../../agent/wire/schema';
import { type ScanLimits, scanMessage } from './scan';
import { WireError } from './wire-error';

const SETTINGS = { useRecords: false, structuredClone: false, moreTypes: false } as const;
const packr = new Packr(SETTINGS);
const unpackr = new Unpackr({ ...SETTINGS, int64AsType: 'number' });

export function encodeMessage(message: CollectorMessage): Uint8Array {
  return Uint8Array.prototype.slice.call(packr.pack(message));
}

/** The values of a message that passed the scan. Binaries point into `bytes`. Throws a WireError. */
export function decodeMessage(bytes: Uint8Array, limits?: ScanLimits): unknown {
  scanMessage(bytes, limits);
  try {
    return unpackr.unpack(bytes);
  } catch (error) {
    throw new WireError('ERR_WIRE_ENCODING', `message does not decode: ${(error as Error).message}`);
  }
}
