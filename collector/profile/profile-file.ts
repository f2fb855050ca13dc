/** Files of profiles: which format their bytes are of, told by the content and never by the name, and what is in them. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeCpuprofile, encodeCpuprofile } from './cpuprofile';
import { decodePprof } from './decode-pprof';
import { checkFigures } from './figure';
import { decodeFolded, encodeFolded, isFolded } from './folded';
import { decodeHeapprofile, encodeHeapprofile } from './heapprofile';
import type { JsonRecord } from './json-value';
import { writePerfetto } from './perfetto';
import { encodePprof } from './pprof';
import type { Profile } from './profile';
import { broken, ProfileError } from './profile-error';
import { PROFILE_BYTES_MAX } from './profile-limits';
import { decodeSpeedscope, encodeSpeedscope, isSpeedscope } from './speedscope';
import { decodeTrace, isTrace } from './trace-reader';

export type ProfileFormat = 'pprof' | 'cpuprofile' | 'heapprofile' | 'folded' | 'speedscope' | 'perfetto';

/** In the order of their use. */
export const PROFILE_FORMATS: readonly ProfileFormat[] = [
  'pprof',
  'cpuprofile',
  'heapprofile',
  'folded',
  'speedscope',
  'perfetto',
];

export type ProfileFile = { format: ProfileFormat; profile: Profile };

const READ_FORMATS =
  'pprof, .cpuprofile, .heapprofile, folded text, speedscope and trace event JSON are read, plain or gzipped';
const BYTE_ORDER_MARK = '\ufeff';
/** Text has no control characters but white space: what has one is a protocol buffer. */
const BINARY = /(?![\t-\r])\p{Cc}/u;
const SNIFFED_BYTES = 4096;

export function decodeProfileFile(given: Uint8Array): ProfileFile {
  const file = decoded(given);
  checkFigures(file.format, file.profile);
  return file;
}

function decoded(given: Uint8Array): ProfileFile {
  const bytes = decompressed(given);
  if (bytes.length > PROFILE_BYTES_MAX) throw tooLarge();
  if (bytes.length === 0)
    throw new ProfileError('ERR_PROFILE_UNKNOWN', `the profile is empty: ${READ_FORMATS}`);
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFFED_BYTES)).toString();
  if (BINARY.test(head)) return { format: 'pprof', profile: decodePprof(bytes) };
  const text = textOf(bytes);
  if (/^\s*[{[]/.test(text) && !isFolded(text)) return decodeJson(text);
  if (isFolded(text)) return { format: 'folded', profile: decodeFolded(text) };
  throw new ProfileError(
    'ERR_PROFILE_UNKNOWN',
    `no profile: it begins with ${JSON.stringify(head.slice(0, 40))}; ${READ_FORMATS}`,
  );
}

/** pprof comes gzipped. valueIndex: for formats that hold one sample type; the default one where it is not given. */
export function encodeProfileFile(
  profile: Profile,
  format: ProfileFormat,
  write: (piece: string | Uint8Array) => void,
  valueIndex?: number,
): void {
  switch (format) {
    case 'pprof':
      return write(gzipSync(encodePprof(profile)));
    case 'cpuprofile':
      return write(encodeCpuprofile(profile, valueIndex));
    case 'heapprofile':
      return write(encodeHeapprofile(profile, valueIndex));
    case 'folded':
      return write(encodeFolded(profile, valueIndex));
    case 'speedscope':
      return write(encodeSpeedscope(profile));
    case 'perfetto':
      return writePerfetto(profile, write, valueIndex);
  }
}

function decompressed(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: PROFILE_BYTES_MAX });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw broken('gzip', (error as Error).message);
  }
}

function decodeJson(text: string): ProfileFile {
  let json: JsonRecord;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw broken('JSON', (error as Error).message);
  }
  if (isSpeedscope(json)) return { format: 'speedscope', profile: decodeSpeedscope(json) };
  if ('nodes' in json && 'startTime' in json)
    return { format: 'cpuprofile', profile: decodeCpuprofile(json) };
  if ('head' in json) return { format: 'heapprofile', profile: decodeHeapprofile(json) };
  if (isTrace(json)) return { format: 'perfetto', profile: decodeTrace(json) };
  throw new ProfileError('ERR_PROFILE_UNKNOWN', `JSON of no known profile: ${READ_FORMATS}`);
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function tooLarge(): ProfileError {
  return new ProfileError(
    'ERR_PROFILE_LIMIT',
    `the profile is larger than ${PROFILE_BYTES_MAX} bytes: take a shorter one`,
  );
}
