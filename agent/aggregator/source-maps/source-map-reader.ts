/**
 * The source maps of this process's scripts, for a collector that may be another machine: which scripts name one, and
 * the bytes of one without its sources' contents. It reads the script that is asked for, if profiles have named it and
 * it has not changed since the process began, and the file that the script itself names as its map; nothing else, and
 * nothing from a network.
 */
import { constants } from 'node:fs';
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
/** What a map begins with: an object, or a line that guards it. */
const MAP_BEGIN = /^\uFEFF?\s*[{)]/;

type Opened = { place: MapPlace; comment: MapComment; from: number; to: number };

export class SourceMapReader {
  readonly #named: { has(script: string): boolean };
  readonly #startWallMillis: number;

  /** named: the scripts that may be asked for. startWallMillis: when the process began. */
  constructor(named: { has(script: string): boolean }, startWallMillis: number) {
    this.#named = named;
    this.#startWallMillis = startWallMillis;
  }

  /** null where the script names no map. Rejects with a SourceMapUnreadable. */
  async find(script: string): Promise<MapPlace | null> {
    return this.#withMap(script, async (_file, { place }) => place);
  }

  /** The map without its sources' contents. Rejects with a SourceMapUnreadable. */
  async read(script: string): Promise<Uint8Array> {
    const bytes = await this.#withMap(script, (file, opened) => mapBytes(file, opened));
    if (bytes === null) throw new SourceMapUnreadable('the script names none');
    return bytes;
  }

  async #withMap<Result>(
    script: string,
    use: (file: FileHandle, opened: Opened) => Promise<Result>,
  ): Promise<Result | null> {
    if (!this.#named.has(script)) throw new SourceMapUnreadable('no profile has named the script');
    return withFile(script, async (file, { size, mtimeMs }) => {
      if (mtimeMs > this.#startWallMillis)
        throw new SourceMapUnreadable('the script has changed since the program began');
      const comment = await mapComment(file, size);
      if (comment === null) return null;
      const version = `${size}:${mtimeMs}`;
      if (!('url' in comment)) {
        const { from, to } = comment;
        return use(file, { place: { mapFile: script, version }, comment, from, to });
      }
      const mapFile = mapFileOf(script, comment.url);
      return withFile(mapFile, (map, stat) => {
        const place = { mapFile, version: `${version}:${stat.size}:${stat.mtimeMs}` };
        return use(map, { place, comment, from: 0, to: stat.size });
      });
    });
  }
}

async function mapBytes(file: FileHandle, { comment, from, to }: Opened): Promise<Uint8Array> {
  const decoder = 'url' in comment ? null : comment.base64 ? new Base64Decoder() : new PercentDecoder();
  const stripper = new WithoutContents();
  const parts: Uint8Array[] = [];
  let readBytes = 0;
  for (let at = from; at < to; at += READ_BYTES) {
    const block = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) break;
    const bytes = decoder?.push(block.subarray(0, bytesRead)) ?? block.subarray(0, bytesRead);
    if (readBytes === 0 && !MAP_BEGIN.test(Buffer.from(bytes.subarray(0, 64)).toString()))
      throw new SourceMapUnreadable('it is no JSON');
    readBytes += bytes.length;
    if (readBytes > MAP_BYTES_MAX) throw tooLarge(readBytes);
    // Copies: a few kept bytes would hold the whole block.
    for (const part of stripper.push(bytes)) parts.push(Uint8Array.prototype.slice.call(part));
  }
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

async function withFile<Result>(
  path: string,
  use: (file: FileHandle, stat: { size: number; mtimeMs: number }) => Promise<Result>,
): Promise<Result> {
  let file: FileHandle;
  try {
    file = await open(path, OPEN_FLAGS);
  } catch (error) {
    throw new SourceMapUnreadable(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new SourceMapUnreadable('it is no file');
    return await use(file, stat);
  } finally {
    await file.close();
  }
}

function tooLarge(bytes: number): SourceMapUnreadable {
  return new SourceMapUnreadable(`it is larger than ${MAP_BYTES_MAX} bytes (${bytes} and more)`);
}
