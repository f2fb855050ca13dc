/**
 * The token that lets an agent and a collector of the same user find and trust each other without configuration.
 * It is looked for in this order; the first place that holds a usable one wins:
 *
 *   RINGTAIL_TOKEN                       the token itself
 *   RINGTAIL_TOKEN_FILE                  a file of one's own choosing (mounted secrets belong to root and are readable)
 *   $XDG_RUNTIME_DIR/ringtail/token      \
 *   ~/.local/state/ringtail/token         } made by the collector at its first start
 *   <tmpdir>/ringtail-<uid>/token        /
 *
 * A made file is trusted only if it is a plain file of ours with mode 0600 in a folder of ours with mode 0700: in a
 * shared temporary folder anybody could otherwise plant a token. What is not trusted is passed over with a reason.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type FoundToken = { token: string; place: string };

/** One file that may hold the token. `made`: the collector may create it, so owner and modes are strict. */
export type TokenPlace = { path: string; made: boolean };

/** What the places depend on besides the environment. uid is -1 where the system has none: then nothing is checked. */
export type TokenPlatform = { homeFolder: string; temporaryFolder: string; uid: number };

export type Environment = Readonly<Record<string, string | undefined>>;

/** Told of every place that was passed over although something was there. */
export type IgnoredPlace = (place: string, reason: string) => void;

const TOKEN_BYTES = 32;
const TOKEN_LENGTH_MIN = 16;
const TOKEN_LENGTH_MAX = 512;

/** The agent thread's own environment is empty: the host's folders are those of the `environment` it was given. */
export function hostPlatform(environment: Environment): TokenPlatform {
  return {
    homeFolder: environment.HOME || homeFolder(),
    temporaryFolder: environment.TMPDIR || environment.TMP || environment.TEMP || tmpdir(),
    uid: process.getuid?.() ?? -1,
  };
}

/** The files to look at, in order. */
export function tokenPlaces(environment: Environment, platform = hostPlatform(environment)): TokenPlace[] {
  const places: TokenPlace[] = [];
  const named = environment.RINGTAIL_TOKEN_FILE;
  if (named) places.push({ path: named, made: false });
  const runtimeFolder = environment.XDG_RUNTIME_DIR;
  if (runtimeFolder) places.push({ path: join(runtimeFolder, 'ringtail', 'token'), made: true });
  if (platform.homeFolder) {
    places.push({ path: join(platform.homeFolder, '.local', 'state', 'ringtail', 'token'), made: true });
  }
  const owner = platform.uid < 0 ? 'user' : String(platform.uid);
  places.push({ path: join(platform.temporaryFolder, `ringtail-${owner}`, 'token'), made: true });
  return places;
}

/** The user has named it: it is no place that is looked at by itself. */
export function isNamedPlace({ RINGTAIL_TOKEN_FILE }: Environment, place: string): boolean {
  return place === 'RINGTAIL_TOKEN' || place === RINGTAIL_TOKEN_FILE;
}

/** The first usable token, or null. Never throws: an unreadable place is an ignored one. */
export function readToken(
  environment: Environment,
  platform = hostPlatform(environment),
  ignored: IgnoredPlace = () => {},
): FoundToken | null {
  const given = environment.RINGTAIL_TOKEN?.trim();
  if (given) {
    const reason = tokenFault(given);
    if (reason === '') return { token: given, place: 'RINGTAIL_TOKEN' };
    ignored('RINGTAIL_TOKEN', reason);
  }
  for (const place of tokenPlaces(environment, platform)) {
    try {
      const token = readPlace(place, platform.uid);
      return { token, place: place.path };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || !place.made) ignored(place.path, message);
    }
  }
  return null;
}

/**
 * Makes a token of 256 random bits in the first of the made places that can be written, or returns the usable one
 * that is there. The file appears complete or not at all, so two collectors that start together agree. null when no
 * place can be written.
 */
export function createToken(
  environment: Environment,
  platform = hostPlatform(environment),
  ignored: IgnoredPlace = () => {},
): FoundToken | null {
  for (const place of tokenPlaces(environment, platform)) {
    if (!place.made) continue;
    try {
      writePlace(place.path, randomBytes(TOKEN_BYTES).toString('hex'));
      return { token: readPlace(place, platform.uid), place: place.path };
    } catch (error) {
      ignored(place.path, (error as Error).message);
    }
  }
  return null;
}

function writePlace(path: string, token: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${token}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** Throws an Error whose message says why the place is not used. */
function readPlace(place: TokenPlace, uid: number): string {
  if (place.made && uid >= 0) checkFolder(dirname(place.path), uid);
  const noFollow = place.made ? constants.O_NOFOLLOW : 0;
  const file = openSync(place.path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  try {
    const about = fstatSync(file);
    if (!about.isFile()) throw new Error('is not a plain file');
    if (uid >= 0) checkFile(about, place.made, uid);
    if (about.size > TOKEN_LENGTH_MAX + 2) throw new Error(`holds ${about.size} bytes, which is no token`);
    const token = readFileSync(file, 'utf8').trim();
    const fault = tokenFault(token);
    if (fault !== '') throw new Error(fault);
    return token;
  } finally {
    closeSync(file);
  }
}

function checkFolder(path: string, uid: number): void {
  const about = lstatSync(path);
  if (!about.isDirectory()) throw new Error('its folder is not a plain folder');
  if (about.uid !== uid) throw new Error(`its folder belongs to user ${about.uid}, not to ${uid}`);
  const mode = about.mode & 0o777;
  if (mode !== 0o700) throw new Error(`its folder has mode 0${mode.toString(8)}: run chmod 700 on it`);
}

function checkFile(about: { uid: number; mode: number }, made: boolean, uid: number): void {
  const mode = about.mode & 0o777;
  if (made) {
    if (about.uid !== uid) throw new Error(`belongs to user ${about.uid}, not to ${uid}`);
    if (mode !== 0o600) throw new Error(`has mode 0${mode.toString(8)}: run chmod 600 on it`);
    return;
  }
  if (about.uid !== uid && about.uid !== 0)
    throw new Error(`belongs to user ${about.uid}, not to ${uid} or root`);
  if ((mode & 0o022) !== 0) throw new Error(`has mode 0${mode.toString(8)}: others can write it`);
}

function tokenFault(token: string): string {
  if (token.length >= TOKEN_LENGTH_MIN && token.length <= TOKEN_LENGTH_MAX) return '';
  return `a token has ${TOKEN_LENGTH_MIN} to ${TOKEN_LENGTH_MAX} characters, got ${token.length}`;
}

/** '' when the system knows no home folder. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
