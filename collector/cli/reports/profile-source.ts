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
/** What people call it, and what its address is called. */
const PROFILE_NAMES: Readonly<Record<string, string>> = { cpu: 'profile' };

/** source: undefined for the collector. What qualifies the figures is told on stderr, so that it stands beside every report. */
export async function readSource(source: string | undefined, words: CaptureWords): Promise<ProfileFile> {
  if (source === undefined) return decodeNamed('the collector', await capture(words));
  if (ADDRESS.test(source)) return decodeNamed(source, await fetchBytes(new URL(source), token()));
  return decodeNamed(source === STANDARD_INPUT ? 'standard input' : source, readBytes(source));
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
      'name a profile: a file, - for standard input, or an address like http://127.0.0.1:7411/debug/pprof/profile',
    );
  }
}

async function capture({
  url,
  service,
  instance,
  seconds,
  profile = 'cpu',
}: CaptureWords): Promise<Uint8Array> {
  const name = PROFILE_NAMES[profile] ?? profile;
  const address = new URL(`debug/pprof/${encodeURIComponent(name)}`, requestUrl(url));
  const takesTime = PPROF_PROFILES[name]?.timed !== undefined;
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
