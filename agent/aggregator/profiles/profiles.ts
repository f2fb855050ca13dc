/**
 * All profiles that are made on request, by name, and the answers to requests for them: take, or take twice and compare,
 * as profile.proto or as text. Loaded at the first request.
 */
import { setTimeout as after } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { diffProfiles } from '../../../collector/profile/merge';
import { encodePprof } from '../../../collector/profile/pprof';
import { PPROF_TYPE } from '../../../collector/profile/pprof-request';
import type { Profile } from '../../../collector/profile/profile';
import { profileText } from '../../../collector/profile/text';
import { OwnSourceMaps } from '../source-maps/own-source-maps';
import { aboutComments } from './about-comments';
import { asyncWaitSource } from './async-waits';
import { contentionSource } from './block';
import type { ProfileContext } from './context';
import { gcSource } from './gc';
import { goroutineSource } from './goroutine';
import { allocsSource, heapSource } from './heap';
import { heapSnapshotSource } from './heap-snapshot';
import { poolSource } from './pool';
import { type FileSource, type ProfileSource, TakeError, type Taken, type TakeRequest } from './source';
import { threadcreateSource } from './threadcreate';
import { ticksSource } from './ticks';
import { recorderSource, traceSource } from './trace';

export type { ProfileContext } from './context';
export { TakeError, type Taken } from './source';

const TEXT_TYPE = 'text/plain; charset=utf-8';
/** A fast level: this thread's time is what compressing costs. */
const GZIP_LEVEL = 1;

export class Profiles {
  readonly #context: ProfileContext;
  readonly #sources: Readonly<Record<string, ProfileSource>>;
  readonly #files: Readonly<Record<string, FileSource>>;
  readonly #sourceMaps: OwnSourceMaps;

  constructor(context: ProfileContext) {
    this.#context = context;
    this.#sourceMaps = new OwnSourceMaps(context.data.identity.startWallMillis);
    this.#sources = {
      profile: ticksSource(context, 'cpu'),
      wall: ticksSource(context, 'wall'),
      block: contentionSource(context, context.blocked),
      mutex: contentionSource(context, context.locks),
      threadcreate: threadcreateSource(context),
      goroutine: goroutineSource(context),
      asyncwait: asyncWaitSource(context),
      heap: heapSource(context),
      allocs: allocsSource(context),
      gc: gcSource(context),
      heapsnapshot: heapSnapshotSource(context),
      pool: poolSource(context),
    };
    this.#files = { trace: traceSource(context), recorder: recorderSource(context) };
  }

  /** text: `name?query`. signal: the asker has gone. Rejects with a TakeError. */
  async take(text: string, signal: AbortSignal): Promise<Taken> {
    const [name = '', query = ''] = text.split('?', 2);
    const request = requestOf(new URLSearchParams(query), signal);
    const file = Object.hasOwn(this.#files, name) ? this.#files[name] : undefined;
    if (file !== undefined) return file.file(request);
    const source = Object.hasOwn(this.#sources, name) ? this.#sources[name] : undefined;
    if (source === undefined) throw new TakeError(404, `this agent has no profile ${name}`);
    if ((request.debug >= 2 || source.textOnly === true) && source.describe !== undefined)
      return { mediaType: TEXT_TYPE, bytes: Buffer.from(this.#withAbout(await source.describe(request))) };
    const profile = await this.#sourceMaps.mapped(await this.#profile(source, request));
    profile.head.comments.push(...aboutComments(this.#context));
    return request.debug > 0
      ? { mediaType: TEXT_TYPE, bytes: Buffer.from(profileText(name, profile)) }
      : { mediaType: PPROF_TYPE, bytes: compressed(encodePprof(profile)) };
  }

  #withAbout(text: string): string {
    return `${text}\n${aboutComments(this.#context)
      .map((line) => `# ${line}\n`)
      .join('')}`;
  }

  async #profile(source: ProfileSource, request: TakeRequest): Promise<Profile> {
    const first = await source.take(request);
    if (request.seconds === 0 || source.timed === true) return first;
    await after(request.seconds * 1000, undefined, { signal: request.signal });
    const difference = diffProfiles(first, await source.take(request));
    difference.head.startMillis = first.head.startMillis;
    difference.head.durationNanos = Math.round(request.seconds * 1e9);
    return difference;
  }
}

export function openProfiles(context: ProfileContext): Profiles {
  return new Profiles(context);
}

function requestOf(parameters: URLSearchParams, signal: AbortSignal): TakeRequest {
  const number = (name: string) => Math.max(0, Number.parseFloat(parameters.get(name) ?? '') || 0);
  return {
    seconds: number('seconds'),
    debug: number('debug'),
    gc: number('gc') > 0,
    proven: parameters.get('proven') === '1',
    signal,
    parameters,
  };
}

function compressed(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: GZIP_LEVEL });
}
