/**
 * The token a reader sends: only one that was given on purpose. One found by itself would go to whoever sits on the
 * port.
 */
import { isNamedPlace, readToken } from '../../agent/wire/token';

/** '' when none was given. `ignored` is told why one that was given is not sent. */
export function givenToken(ignored: (place: string, reason: string) => void): string {
  const { RINGTAIL_TOKEN, RINGTAIL_TOKEN_FILE } = process.env;
  if (!RINGTAIL_TOKEN && !RINGTAIL_TOKEN_FILE) return '';
  const given = { RINGTAIL_TOKEN, RINGTAIL_TOKEN_FILE };
  const found = readToken(given, undefined, (place, reason) => {
    if (isNamedPlace(given, place)) ignored(place, reason);
  });
  return found !== null && isNamedPlace(given, found.place) ? found.token : '';
}

/** The header that carries it. */
export function authorizationOf(token: string): Record<string, string> {
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}
