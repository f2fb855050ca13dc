/** Addresses of the collector as people give them: by environment, for agents too, or to `ringtail tail --url`. */
import { CliError, EXIT_USAGE } from './cli-error';

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 7411;
export const DEFAULT_COLLECTOR_URL = `ws://${DEFAULT_HOST}:${DEFAULT_PORT}`;

/** What starts a collector where `url` says one should be, and where to say another address. */
export function startWords({ protocol, port }: URL): string {
  const plain = protocol === 'ws:' || protocol === 'http:';
  const given = plain && port !== String(DEFAULT_PORT) ? ` --port ${port || '80'}` : '';
  return `ringtail collector${given}`;
}

/** Said where a program is about to send to an address that nobody listens at. */
export function silentWords(url: string): string {
  return `no collector answers there yet: ${startWords(new URL(url))}`;
}

/** How the tail is told of a collector's address. */
export function tailWords(url: string): string {
  return url === DEFAULT_COLLECTOR_URL ? 'ringtail tail' : `ringtail tail --url ${url}`;
}

/** What an agent accepts. */
const AGENT_SCHEMES: Record<string, string> = { ws: 'ws', wss: 'wss' };
const TAIL_SCHEMES: Record<string, string> = { ...AGENT_SCHEMES, http: 'ws', https: 'wss' };

export type TailFilter = { service?: string | undefined; instance?: string | undefined };

/** RINGTAIL_COLLECTOR or the default. Throws a CliError for what an agent would not take. */
export function environmentUrl(): string {
  const given = process.env.RINGTAIL_COLLECTOR || DEFAULT_COLLECTOR_URL;
  parseUrl('RINGTAIL_COLLECTOR', given, AGENT_SCHEMES);
  return given;
}

/** typed: undefined when no --url was. Throws a CliError. */
export function tailUrl(typed: string | undefined, filter: TailFilter): URL {
  const url =
    typed === undefined
      ? parseUrl('RINGTAIL_COLLECTOR', environmentUrl(), AGENT_SCHEMES)
      : parseUrl('--url', typed, TAIL_SCHEMES);
  if (url.pathname === '/') url.pathname = '/v1/tail';
  if (filter.service !== undefined) url.searchParams.set('service', filter.service);
  if (filter.instance !== undefined) url.searchParams.set('instance', filter.instance);
  return url;
}

/** The collector's address for reading with plain requests: http:// or https://, '/' as path. Throws a CliError. */
export function requestUrl(typed: string | undefined): URL {
  const url = tailUrl(typed, {});
  return new URL('/', url.href.replace(/^ws/, 'http'));
}

/** The URL under the scheme that its own stands for. `http:/name` is an address to the URL parser, not to us. */
function parseUrl(from: string, typed: string, schemes: Record<string, string>): URL {
  const [, written = '', rest = ''] = /^([a-z]+):\/\/([^/].*)$/i.exec(typed) ?? [];
  const name = written.toLowerCase();
  const text = Object.hasOwn(schemes, name) ? `${schemes[name]}://${rest}` : '';
  if (text !== '' && URL.canParse(text)) return new URL(text);
  const allowed = Object.keys(schemes).map((scheme) => `${scheme}://`);
  throw new CliError(
    'ERR_CLI_USAGE',
    `${from} must be an address like ${DEFAULT_COLLECTOR_URL}, got '${typed}'`,
    `it begins with ${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}, and a host name follows`,
    EXIT_USAGE,
  );
}
