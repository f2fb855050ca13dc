/** Addresses people type for the collector, made into the URL of its tail. */
import { CliError, EXIT_USAGE } from './cli-error';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 7411;
export const DEFAULT_COLLECTOR_URL = `ws://${DEFAULT_HOST}:${DEFAULT_PORT}`;

const SCHEMES: Record<string, string> = { 'ws:': 'ws:', 'wss:': 'wss:', 'http:': 'ws:', 'https:': 'wss:' };

export type TailFilter = { service?: string | undefined; instance?: string | undefined };

/** Accepts ws, wss, http and https, and a bare host:port. */
export function tailUrl(typed: string, filter: TailFilter): URL {
  const url = parseCollectorUrl(typed);
  if (url.pathname === '/') url.pathname = '/v1/tail';
  if (filter.service !== undefined) url.searchParams.set('service', filter.service);
  if (filter.instance !== undefined) url.searchParams.set('instance', filter.instance);
  return url;
}

function parseCollectorUrl(typed: string): URL {
  const text = typed.includes('://') ? typed : `ws://${typed}`;
  const scheme = URL.canParse(text) ? SCHEMES[new URL(text).protocol] : undefined;
  if (scheme === undefined) {
    throw new CliError(
      'ERR_CLI_USAGE',
      `--url must be an address like ${DEFAULT_COLLECTOR_URL}, got '${typed}'`,
      'the schemes are ws, wss, http and https',
      EXIT_USAGE,
    );
  }
  return new URL(text.replace(/^[a-z]+:/, scheme));
}
