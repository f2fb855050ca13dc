/**
 * The token a reader sends: only one that was given on purpose. One found by itself would go to whoever sits on the
 * port.
 */
import { readToken } from '../../agent/wire/token';

/** '' when none was given. `ignored` is told why one that was given is not sent. */
export function givenToken(ignored: (place: string, reason: string) => void): string {
  const { RINGTAIL_TOKEN, RINGTAIL_TOKEN_FILE } = process.env;
  const given = new Set(['RINGTAIL_TOKEN', RINGTAIL_TOKEN_FILE || 'RINGTAIL_TOKEN']);
  if (!RINGTAIL_TOKEN && !RINGTAIL_TOKEN_FILE) return '';
  const found = readToken({ RINGTAIL_TOKEN, RINGTAIL_TOKEN_FILE }, undefined, (place, reason) => {
    if (given.has(place)) ignored(place, reason);
  });
  return found !== null && given.has(found.place) ? found.token : '';
}

/** The header that carries it. */
export function authorizationOf(token: string): Record<string, string> {
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}
