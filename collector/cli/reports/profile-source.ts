/**
 * Where a report's profile comes from: a file of any format that is read, standard input, an address that serves
 * /debug/pprof/, or a running collector, which is asked for a new one.
 */
import { readFileSync, statSync } from 'node:fs';
import { PPROF_PROFILES } from '../../profile/pprof-request';
import { printable } from '../../profile/printable';
import { ProfileError } from '../../profile/profile-error';
import { decodeProfileFile, type ProfileFile } from '../../profile/profile-file';
import { PROFILE_BYTES_MAX } from '../../profile/profile-limits';
import { CliError } from '../cli-error';
import { requestUrl } from '../collector-url';
import { givenToken } from '../given-token';
import { fetchBytes } from './fetch-bytes';
import { qualifiersOf } from './qualifiers';

/** What a collector is asked for where no file is named. undefined: not given. */
export type CaptureWords = {
  url?: string | undefined;
  service?: string | undefined;
  instance?: string | undefined;
  seconds?: number | undefined;
  profile?: string | undefined;
};

const STANDARD_INPUT = '-';
const SECONDS_DEFAULT = 10;
const ADDRESS = /^https?:\/\//i;
/** An address without its scheme, which is a file's name as well. */
const BARE_ADDRESS = /^(?:[\w.-]+|\[[\da-f:]+\]):\d+(?:\/.*)?$/i;
/** Of an address that names no profile, but who serves them. */
const ROOT_PATH = /^\/$|\/debug\/pprof\/?$/;
/** What people call it, and what its address is called. */
const PROFILE_NAMES: Readonly<Record<string, string>> = { cpu: 'profile' };

/** source: undefined for the collector. What qualifies the figures is told on stderr, so that it stands beside every report. */
export async function readSource(source: string | undefined, words: CaptureWords): Promise<ProfileFile> {
  if (source === undefined) return decodeNamed('the collector', await capture(words));
  if (ADDRESS.test(source)) return decodeNamed(source, await fetchSource(source, words));
  return decodeNamed(source === STANDARD_INPUT ? 'standard input' : source, readBytes(source));
}

/** An address of one profile is taken as it is; one that names none is who is asked, as with --url. */
function fetchSource(source: string, words: CaptureWords): Promise<Uint8Array> {
  const url = new URL(source);
  if (!ROOT_PATH.test(url.pathname)) return fetchBytes(url, token());
  return capture({ ...words, url: source }, url.search);
}

function decodeNamed(name: string, bytes: Uint8Array): ProfileFile {
  try {
    const file = decodeProfileFile(bytes);
    for (const comment of qualifiersOf(file.profile.head.comments)) {
      process.stderr.write(`ringtail: ${name}: ${comment}\n`);
    }
    return file;
  } catch (error) {
    if (error instanceof ProfileError)
      throw new ProfileError(error.code, `${name}: ${printable(error.message)}`);
    throw error;
  }
}

function readBytes(path: string): Uint8Array {
  const file = path === STANDARD_INPUT ? process.stdin.fd : path;
  try {
    if (typeof file === 'string' && statSync(file).size > PROFILE_BYTES_MAX)
      throw new ProfileError(
        'ERR_PROFILE_LIMIT',
        `${path}: larger than ${PROFILE_BYTES_MAX} bytes: take a shorter one`,
      );
    return readFileSync(file);
  } catch (error) {
    if (error instanceof ProfileError) throw error;
    throw new CliError(
      'ERR_CLI_FILE',
      `cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      BARE_ADDRESS.test(path)
        ? `an address begins with http://, as in http://${path}`
        : 'name a profile: a file, - for standard input, or an address like http://127.0.0.1:7411/debug/pprof/profile',
    );
  }
}

/** query: what stood behind the address that was typed. */
async function capture(
  { url, service, instance, seconds, profile = 'cpu' }: CaptureWords,
  query = '',
): Promise<Uint8Array> {
  const name = PROFILE_NAMES[profile] ?? profile;
  const address = new URL(`debug/pprof/${encodeURIComponent(name)}${query}`, requestUrl(url));
  const takesTime = PPROF_PROFILES[name]?.timed !== undefined && !address.searchParams.has('seconds');
  const asked = seconds ?? (takesTime ? SECONDS_DEFAULT : undefined);
  if (asked !== undefined) address.searchParams.set('seconds', String(asked));
  if (service !== undefined) address.searchParams.set('service', service);
  if (instance !== undefined) address.searchParams.set('instance', instance);
  if (asked !== undefined)
    process.stderr.write(`ringtail: ${asked} s of ${profile} from ${address.host} ...\n`);
  return fetchBytes(address, token());
}

function token(): string {
  return givenToken((place, reason) => {
    process.stderr.write(`ringtail: the token of ${place} is not sent: ${reason}\n`);
  });
}
