/**
 * All profiles that are made on request, by name, and the answers to requests for them: take, or take twice and compare,
 * as profile.proto or as text. Loaded at the first request.
 */
import { gzipSync } from 'node:zlib';
import { diffProfiles } from '../../../collector/profile/merge';
import { encodePprof } from '../../../collector/profile/pprof';
import { profileText } from '../../../collector/profile/text';
import { contentionSource } from './block';
import type { ProfileContext } from './context';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

export type { ProfileContext } from './context';
export { TakeError } from './source';

/** mediaType: of the bytes. */
export type Taken = { mediaType: string; bytes: Uint8Array };

export const PPROF_TYPE = 'application/octet-stream';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const SECONDS_MAX = 600;
/** A fast level: this thread's time is what compressing costs. */
const GZIP_LEVEL = 1;

export class Profiles {
  readonly #sources: Readonly<Record<string, ProfileSource>>;

  constructor(context: ProfileContext) {
    this.#sources = {
      block: contentionSource(context, context.blocked),
    };
  }

  /** text: `name?query`. Rejects with a TakeError. */
  async take(text: string): Promise<Taken> {
    const [name = '', query = ''] = text.split('?', 2);
    const source = Object.hasOwn(this.#sources, name) ? this.#sources[name] : undefined;
    if (source === undefined) throw new TakeError(404, `this agent has no profile ${name}`);
    const request = requestOf(new URLSearchParams(query));
    if (request.debug >= 2 && source.describe !== undefined)
      return { mediaType: TEXT_TYPE, bytes: Buffer.from(await source.describe(request)) };
    const first = await source.take(request);
    if (request.debug > 0) return { mediaType: TEXT_TYPE, bytes: Buffer.from(profileText(name, first)) };
    if (request.seconds === 0) return { mediaType: PPROF_TYPE, bytes: compressed(encodePprof(first)) };
    await after(Math.min(SECONDS_MAX, request.seconds) * 1000);
    const second = await source.take(request);
    const difference = diffProfiles(first, second);
    difference.head.startMillis = first.head.startMillis;
    difference.head.durationNanos = Math.round(request.seconds * 1e9);
    return { mediaType: PPROF_TYPE, bytes: compressed(encodePprof(difference)) };
  }
}

export function openProfiles(context: ProfileContext): Profiles {
  return new Profiles(context);
}

function requestOf(parameters: URLSearchParams): TakeRequest {
  const number = (name: string) => Math.max(0, Number.parseFloat(parameters.get(name) ?? '') || 0);
  return {
    seconds: number('seconds'),
    debug: number('debug'),
    gc: number('gc') > 0,
    proven: parameters.get('proven') === '1',
    parameters,
  };
}

function compressed(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: GZIP_LEVEL });
}

function after(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
