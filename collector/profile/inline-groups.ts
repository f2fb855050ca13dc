/**
 * Frames that were inlined into each other as pprof has them: one location with a line for each, innermost first. A
 * run of frames along a stack is looked up once and gets an id behind those of the profile's own locations.
 */
import type { Profile } from './profile';

export class InlineGroups {
  readonly #profile: Profile;
  readonly #ids = new Map<string, number>();
  readonly #firstId: number;
  /** The frames of each group. */
  readonly list: number[][] = [];

  constructor(profile: Profile) {
    this.#profile = profile;
    this.#firstId = profile.locations.length / 2;
  }

  /** Rewrites the first `depth` locations of a path, leaf first, in place; gives the depth that is left. */
  fold(path: Uint32Array, depth: number): number {
    const { inlined } = this.#profile;
    let written = 0;
    for (let at = 0; at < depth; written++) {
      const start = at;
      while (inlined[path[at]!] === 1 && at + 1 < depth) at++;
      at++;
      path[written] = at - start === 1 ? path[start]! : this.#group(path.subarray(start, at));
    }
    return written;
  }

  /** The id of the group at an index of the list. */
  idAt(index: number): number {
    return this.#firstId + index;
  }

  #group(frames: Uint32Array): number {
    const key = frames.join();
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.idAt(this.list.push([...frames]) - 1);
    this.#ids.set(key, id);
    return id;
  }
}
