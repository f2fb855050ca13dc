/** Why bytes make no profile, or a profile does not fit a format. The codes are stable and may be searched for. */

export type ProfileErrorCode =
  | 'ERR_PROFILE_UNKNOWN' // no known format
  | 'ERR_PROFILE_BROKEN' // a known format, but it breaks its own rules
  | 'ERR_PROFILE_LIMIT' // larger than what is read
  | 'ERR_PROFILE_UNFIT'; // what it measures cannot be told in the format, or in the report

export class ProfileError extends Error {
  readonly code: ProfileErrorCode;

  constructor(code: ProfileErrorCode, message: string) {
    super(message);
    this.name = 'ProfileError';
    this.code = code;
  }
}

export function broken(format: string, what: string): ProfileError {
  return new ProfileError('ERR_PROFILE_BROKEN', `broken ${format}: ${what}`);
}

export function unfit(message: string): ProfileError {
  return new ProfileError('ERR_PROFILE_UNFIT', message);
}
