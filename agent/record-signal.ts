/**
 * The one signal that the host is listened to for, where the options ask for it: it dumps the flight recorder. The listener
 * stays when the agent ends, because without one the signal would end the process. It does not keep the process alive.
 */
import type { RecordSignal } from './options';

const wanted = new Map<RecordSignal, () => void>();

/** Calls the newest `callback` that was given for the signal. */
export function onRecordSignal(signal: RecordSignal, callback: () => void): void {
  if (!wanted.has(signal)) process.on(signal, () => wanted.get(signal)?.());
  wanted.set(signal, callback);
}
