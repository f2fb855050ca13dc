/**
 * The source maps of this process's scripts, for a collector that may be another machine: which scripts name one, and
 * the bytes of one without its sources' contents. It reads the script that is asked for, if profiles have named it and
 * it has not changed since the process began, and the file that the script itself names as its map; nothing else, and
 * nothing from a network.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Base64Decoder, PercentDecoder } from './data-url';
import { type MapComment, mapComment } from './map-comment';
import { WithoutContents } from './without-contents';

/** What there is for a script. mapFile: what sources are relative to. version: the same for the same content. */
export type MapPlace = { mapFile: string; version: string };

/** Why a map cannot be had: a phrase that goes on after its name. */
export class SourceMapUnreadable extends Error {}

const MAP_BYTES_MAX = 32 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** A file that would make its reader wait does not. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** Ends a data: URL that the end of the file ends. */
const DATA_END = Buffer.from('\n');
/** What a map begins with: an object, or a line that guards it. */
const MAP_BEGIN = /^\uFEFF?\s*[{)]/;

/** Where the bytes of a map are. */
type Located = { place: MapPlace; comment: MapComment; from: number; to: number };

export class SourceMapReader {
  readonly #named: { has(script: string): boolean };
  readonly #startWallMillis: number;

  /** named: the scripts that may be asked for. startWallMillis: when the process began. */
  constructor(named: { has(script: string): boolean }, startWallMillis: number) {
    this.#named = named;
    this.#startWallMillis = startWallMillis;
  }

  /** null where the script names no map. Reads the end of the script only. Throws a SourceMapUnreadable. */
  find(script: string): MapPlace | null {
    return this.#locate(script)?.place ?? null;
  }

  /** The map without its sources' contents. Rejects with a SourceMapUnreadable. */
  async read(script: string): Promise<Uint8Array> {
    const located = this.#locate(script);
    if (located === null) throw new SourceMapUnreadable('the script names none');
    const file = await open(located.place.mapFile, OPEN_FLAGS);
    try {
      return await mapBytes(file, located);
    } finally {
      await file.close();
    }
  }

  #locate(script: string): Located | null {
    if (!this.#named.has(script)) throw new SourceMapUnreadable('no profile has named the script');
    return withFile(script, (file, { size, mtimeMs }) => {
      if (mtimeMs > this.#startWallMillis)
        throw new SourceMapUnreadable('the script has changed since the program began');
      const comment = mapComment(file, size);
      if (comment === null) return null;
      const version = `${size}:${mtimeMs}`;
      if (!('url' in comment)) {
        const { from, to } = comment;
        return { place: { mapFile: script, version }, comment, from, to };
      }
      const mapFile = mapFileOf(script, comment.url);
      return withFile(mapFile, (_map, stat) => {
        const place = { mapFile, version: `${version}:${stat.size}:${stat.mtimeMs}` };
        return { place, comment, from: 0, to: stat.size };
      });
    });
  }
}

async function mapBytes(file: FileHandle, { comment, from, to }: Located): Promise<Uint8Array> {
  const decoder = 'url' in comment ? null : comment.base64 ? new Base64Decoder() : new PercentDecoder();
  const stripper = new WithoutContents();
  const parts: Uint8Array[] = [];
  let readBytes = 0;
  const add = (bytes: Uint8Array) => {
    if (bytes.length === 0) return;
    if (readBytes === 0 && !MAP_BEGIN.test(Buffer.from(bytes.subarray(0, 64)).toString()))
      throw new SourceMapUnreadable('it is no JSON');
    readBytes += bytes.length;
    if (readBytes > MAP_BYTES_MAX) throw tooLarge(readBytes);
    // Copies: a few kept bytes would hold the whole block.
    for (const part of stripper.push(bytes)) parts.push(Uint8Array.prototype.slice.call(part));
  };
  for (let at = from; at < to; at += READ_BYTES) {
    const block = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) break;
    const bytes = block.subarray(0, bytesRead);
    add(decoder?.push(bytes) ?? bytes);
  }
  if (decoder !== null) add(decoder.push(DATA_END));
  return Buffer.concat(parts);
}

/** The file that the URL names, as seen from the script. */
function mapFileOf(script: string, url: string): string {
  let named: URL;
  try {
    named = new URL(url, pathToFileURL(script));
  } catch {
    throw new SourceMapUnreadable('its address is none');
  }
  if (named.protocol !== 'file:' || named.host !== '')
    throw new SourceMapUnreadable('it is not on this machine');
  return fileURLToPath(named);
}

function withFile<Result>(
  path: string,
  use: (file: number, stat: { size: number; mtimeMs: number }) => Result,
): Result {
  let file: number;
  try {
    file = openSync(path, OPEN_FLAGS);
  } catch (error) {
    throw new SourceMapUnreadable(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new SourceMapUnreadable('it is no file');
    return use(file, stat);
  } finally {
    closeSync(file);
  }
}

function tooLarge(bytes: number): SourceMapUnreadable {
  return new SourceMapUnreadable(`it is larger than ${MAP_BYTES_MAX} bytes (${bytes} and more)`);
}
