/**
 * A profile that the agent makes when asked: what /debug/pprof/<name> gives, whether a collector asks or the agent's own
 * port is. Sources live in the part of the agent thread that is loaded at the first request.
 */
import type { Profile } from '../../../collector/profile/profile';

/** What is asked of a source: `seconds`, `debug` and `gc` as in collector/profile/pprof-request.ts. */
export type TakeRequest = {
  seconds: number;
  debug: number;
  gc: boolean;
  /** The asker has proven the token: costly captures are not rationed. */
  proven: boolean;
  /** Aborted when the asker has gone: what takes time ends, and may reject with anything. */
  signal: AbortSignal;
  parameters: URLSearchParams;
};

export interface ProfileSource {
  /** Takes as long as `seconds` says: these are not two takes to compare. */
  readonly timed?: boolean;
  /** Has no profile: describe answers every request. */
  readonly textOnly?: boolean;
  /** Everything since the start, or what there is now. Rejects with a TakeError. */
  take(request: TakeRequest): Promise<Profile>;
  /** The answer to debug=2, where it is more than the profile in words. */
  describe?(request: TakeRequest): Promise<string>;
}

/** mediaType: of the bytes. */
export type Taken = { mediaType: string; bytes: Uint8Array };

/** What is no profile but a file of another kind. */
export interface FileSource {
  /** Rejects with a TakeError. */
  file(request: TakeRequest): Promise<Taken>;
}

/** What cannot be had, in words for whoever asked. status: an HTTP status. */
export class TakeError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
