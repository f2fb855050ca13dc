/**
 * Profiles that the agent makes itself, by the names of their sources. A collector keeps maps for the next profile; this
 * thread has no memory for that, so maps are read for each profile, one after the other, and let go.
 */
import type { Profile } from '../../../collector/profile/profile';
import {
  describeMapped,
  mappedProfile,
  scriptsOf,
} from '../../../collector/profile/source-map/mapped-profile';
import { SourceMap } from '../../../collector/profile/source-map/source-map';
import { SourceMapError } from '../../../collector/profile/source-map/source-map-error';
import { SourceMapReader, SourceMapUnreadable } from './source-map-reader';

/** Text of all maps of a profile: it takes twice as much of this thread's 48 MiB while it is read. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024;
/** No further script is looked at after so long. */
const LOOK_MILLIS = 2000;
const SCRIPTS_MAX = 20_000;

export class OwnSourceMaps {
  readonly #reader: SourceMapReader;
  /** Scripts that name no map. */
  readonly #plain = new Set<string>();

  /** startWallMillis: when the process began. */
  constructor(startWallMillis: number) {
    this.#reader = new SourceMapReader({ has: () => true }, startWallMillis);
  }

  async mapped(profile: Profile): Promise<Profile> {
    const maps = new Map<string, SourceMap | string | null>();
    const untilMillis = performance.now() + LOOK_MILLIS;
    let room = TEXT_BYTES_MAX;
    for (const script of scriptsOf(profile)) {
      if (this.#plain.has(script)) continue;
      if (performance.now() > untilMillis) {
        maps.set(script, 'not there in time');
        continue;
      }
      const { map, bytes } = await this.#mapOf(script, room);
      room -= bytes;
      if (map !== null) maps.set(script, map);
      else if (this.#plain.size < SCRIPTS_MAX) this.#plain.add(script);
    }
    const { profile: mapped, counts } = mappedProfile(profile, (file) => maps.get(file) ?? null);
    const text = describeMapped(counts);
    if (text !== '') mapped.head.comments.push(`source maps: ${text}`);
    return mapped;
  }

  /** map: the reason where there is none, null where the script names none. bytes: what it takes of the room. */
  async #mapOf(script: string, room: number): Promise<{ map: SourceMap | string | null; bytes: number }> {
    try {
      const place = this.#reader.find(script);
      if (place === null) return { map: null, bytes: 0 };
      const text = await this.#reader.read(script);
      if (text.length > room) return { map: 'too large to read without a collector', bytes: 0 };
      return { map: new SourceMap(Buffer.from(text).toString(), place.mapFile), bytes: text.length };
    } catch (error) {
      if (error instanceof SourceMapUnreadable || error instanceof SourceMapError)
        return { map: error.message, bytes: 0 };
      throw error;
    }
  }
}
