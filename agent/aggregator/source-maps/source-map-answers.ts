/**
 * Answers to a collector that asks for source maps:
 *
 *   source-maps?script=FILE&script=FILE...   JSON, one entry a script in order: MapPlace, a reason in words, or null
 *   source-map?script=FILE                   the map itself, without its sources' contents
 *
 * Loaded at the first request.
 */
import type { ProfileContext } from '../profiles/context';
import { type MapPlace, SourceMapReader, SourceMapUnreadable } from './source-map-reader';

const ONE = 'source-map?';
const JSON_TYPE = 'application/json';
const SCRIPTS_MAX = 256;

export class SourceMapAnswers {
  readonly #reader: SourceMapReader;

  constructor({ dictionary, data }: ProfileContext) {
    this.#reader = new SourceMapReader(dictionary.scripts, data.identity.startWallMillis);
  }

  /** text: as above. Rejects where the map cannot be had. */
  async take(text: string): Promise<{ mediaType: string; bytes: Uint8Array }> {
    const scripts = new URLSearchParams(text.slice(text.indexOf('?') + 1)).getAll('script');
    if (text.startsWith(ONE))
      return { mediaType: JSON_TYPE, bytes: await this.#reader.read(scripts[0] ?? '') };
    const found = scripts.slice(0, SCRIPTS_MAX).map((script) => this.#find(script));
    return { mediaType: JSON_TYPE, bytes: Buffer.from(JSON.stringify(found)) };
  }

  #find(script: string): MapPlace | string | null {
    try {
      return this.#reader.find(script);
    } catch (error) {
      if (error instanceof SourceMapUnreadable) return error.message;
      throw error;
    }
  }
}

export function openSourceMaps(context: ProfileContext): SourceMapAnswers {
  return new SourceMapAnswers(context);
}
