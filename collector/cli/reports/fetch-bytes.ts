/**
 * One GET whose answer may take minutes to begin: a capture answers when it is over. No time limit but the collector's
 * own, and no more bytes than a profile may have.
 */
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { PPROF_PROFILES } from '../../profile/pprof-request';
import { printable } from '../../profile/printable';
import { PROFILE_BYTES_MAX } from '../../profile/profile-limits';
import { CliError } from '../cli-error';
import { startWords } from '../collector-url';
import { authorizationOf } from '../given-token';

const REFUSAL_BYTES_MAX = 4096;
/** Profiles that reports can read: no text, no trace. */
const READABLE = Object.entries(PPROF_PROFILES)
  .filter(([, { isTrace, text }]) => isTrace !== true && text !== true)
  .map(([name]) => (name === 'profile' ? 'cpu' : name));

/** token: '' for none. */
export function fetchBytes(url: URL, token: string): Promise<Uint8Array> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: authorizationOf(token) }, (response) => {
      collect(response).then((body) => {
        if (response.statusCode === 200) resolve(body);
        else reject(refusal(url, response.statusCode ?? 0, body));
      }, reject);
    });
    request.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(url, error)));
  });
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > PROFILE_BYTES_MAX) {
      throw new CliError(
        'ERR_CLI_REFUSED',
        `the answer is larger than ${PROFILE_BYTES_MAX} bytes`,
        'ask for fewer seconds',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal(url: URL, status: number, body: Buffer): CliError {
  const said = body.subarray(0, REFUSAL_BYTES_MAX).toString().trim().split('\n').map(printable).join('\n  ');
  return new CliError(
    'ERR_CLI_REFUSED',
    `${url.host} answered ${status}${said === '' ? '' : `: ${said}`}`,
    adviceOf(status, said),
  );
}

function adviceOf(status: number, said: string): string {
  if (status === 401 || (status === 503 && said.includes('without the token')))
    return 'give its token: set RINGTAIL_TOKEN, or RINGTAIL_TOKEN_FILE to the file that holds it';
  if (status === 404 && said.startsWith('Unknown profile'))
    return `the profiles there are: ${READABLE.join(', ')}`;
  return 'choose with --service, --instance, --profile and --seconds; see what there is: ringtail tail';
}

function unreachable(url: URL, error: NodeJS.ErrnoException): CliError {
  return new CliError(
    'ERR_CLI_UNREACHABLE',
    `no answer from ${url.host} (${printable(error.code ?? error.message)})`,
    `start a collector with: ${startWords(url)}; choose another with --url or RINGTAIL_COLLECTOR; or name a file`,
  );
}
