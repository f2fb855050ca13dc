/**
 * Who may ask: pure checks on the head of a request, the same for requests and upgrades.
 *
 *   Host             exactly one of the names this collector goes by, or a page elsewhere could rebind its DNS to us
 *   Origin           absent, or ourselves
 *   Sec-Fetch-Site   absent, same-origin or none: a page of another site must not even make us work
 *   token            only where it is required: `Authorization: Bearer <token>`, or Basic with the token as password
 *                    (so that `go tool pprof http://:TOKEN@127.0.0.1:7411/...` works)
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type GuardRules = {
  /** Exact values of Host, lower case. */
  hosts: ReadonlySet<string>;
  /** '' when reads need none. */
  token: string;
};

export type Refusal = { status: 400 | 401 | 403; text: string };

/** null: the request may pass. */
export function refusalOf(headers: IncomingHttpHeaders, rules: GuardRules): Refusal | null {
  const { host, origin } = headers;
  if (host === undefined) return { status: 400, text: 'the request has no Host header' };
  if (!rules.hosts.has(host.toLowerCase())) {
    return {
      status: 403,
      text: `Host ${quoted(host)} is none of this collector's: ${[...rules.hosts].join(', ')}`,
    };
  }
  if (origin !== undefined && !isOwnOrigin(origin, rules)) {
    return { status: 403, text: `Origin ${quoted(origin)} may not ask this collector` };
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, text: `a request with Sec-Fetch-Site ${quoted(String(site))} is refused` };
  }
  if (rules.token !== '' && !provesToken(headers, rules.token)) {
    return { status: 401, text: 'a token is required: send Authorization: Bearer <token>' };
  }
  return null;
}

/** True when the request carries the token, whether it is required or not. */
export function provesToken({ authorization = '' }: IncomingHttpHeaders, token: string): boolean {
  return authorization !== '' && sameSecret(givenToken(authorization), token);
}

/** The names a collector goes by at a port of the loopback. */
export function ownHosts(host: string, port: number, more: readonly string[]): Set<string> {
  const names = ['127.0.0.1', 'localhost', '[::1]', host.includes(':') ? `[${host}]` : host];
  const hosts = names.map((name) => `${name.toLowerCase()}:${port}`);
  return new Set([...hosts, ...more.map((name) => name.toLowerCase())]);
}

/** True for 127.0.0.0/8, ::1 and localhost, written plainly. */
export function isLoopback(host: string): boolean {
  if (host === '::1' || host === 'localhost') return true;
  const parts = host.split('.');
  return (
    parts.length === 4 &&
    parts[0] === '127' &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

function isOwnOrigin(origin: string, rules: GuardRules): boolean {
  return origin.startsWith('http://') && rules.hosts.has(origin.slice('http://'.length).toLowerCase());
}

function givenToken(authorization: string): string {
  const [scheme = '', credentials = ''] = authorization.split(' ', 2);
  if (/^bearer$/i.test(scheme)) return credentials;
  if (!/^basic$/i.test(scheme)) return '';
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}

/** In constant time whatever the lengths. */
function sameSecret(given: string, wanted: string): boolean {
  const [left, right] = [given, wanted].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left!, right!);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
