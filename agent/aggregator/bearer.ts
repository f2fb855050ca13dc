/** Whether an HTTP request carries the token: as `Authorization: Bearer`, or as the password in the address. */
import { createHash, timingSafeEqual } from 'node:crypto';

export function bearsToken(authorization: string | undefined, token: string): boolean {
  const [scheme = '', given = ''] = (authorization ?? '').split(' ', 2);
  if (/^bearer$/i.test(scheme)) return sameText(given, token);
  if (!/^basic$/i.test(scheme)) return false;
  const pair = Buffer.from(given, 'base64').toString('utf8');
  return sameText(pair.slice(pair.indexOf(':') + 1), token);
}

/** Hashed first, so that neither length nor content shows in the time it takes. */
function sameText(left: string, right: string): boolean {
  const hashOf = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hashOf(left), hashOf(right));
}
