/**
 * The folder for what the agent writes about the process's memory: <tmpdir>/ringtail-<uid>, for its user alone. In a
 * shared temporary folder anybody could have put something else in its place, so owner and mode are held against that.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, hostPlatform } from '../../wire/token';

/** Throws an Error that says why the folder is not used. */
export function privateFolder(environment: Environment): string {
  const { temporaryFolder, uid } = hostPlatform(environment);
  const path = join(temporaryFolder, `ringtail-${uid < 0 ? 'user' : uid}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const about = lstatSync(path);
  if (!about.isDirectory()) throw new Error(`${path} is not a plain folder: remove it`);
  if (uid < 0) return path;
  if (about.uid !== uid) throw new Error(`${path} belongs to user ${about.uid}, not to ${uid}`);
  const mode = about.mode & 0o777;
  if (mode !== 0o700) throw new Error(`${path} has mode 0${mode.toString(8)}: run chmod 700 on it`);
  return path;
}
