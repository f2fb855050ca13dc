/**
 * A profile of generated code as one of its sources: functions get the name, file and lines that their source maps tell,
 * and keep the generated name as their system name. Totals stay what they are. Functions whose map does not know them
 * stay as they are, and are counted.
 */
import { isNameless } from '../frame';
import { addProfile, type Locate, sameLocation } from '../merge';
import { Profile, type ProfileFunction } from '../profile';
import {
  isWholeScript,
  type OriginalFunction,
  originalFunction,
  originalOfCall,
  originalPlace,
} from './original';
import type { SourceMap } from './source-map';

/** What there is for a file: its map, why a map that it names is not there, or null where it names none. */
export type MapOfFile = (file: string) => SourceMap | string | null;

/** Functions that were named by their sources, and those that were not although their file names a map, by reason. */
export type MappedCounts = { mapped: number; unmapped: Map<string, number> };

const UNKNOWN_TO_MAP = 'not in the map';
const REASONS_SHOWN_MAX = 6;
const ABSOLUTE_PATH = /^(\/|[A-Za-z]:[\\/])/;

type Found = { original: OriginalFunction; generatedName: string; map: SourceMap };

/** The same object where no file has a map. */
export function mappedProfile(
  profile: Profile,
  mapOf: MapOfFile,
): { profile: Profile; counts: MappedCounts } {
  const originals = new Originals(mapOf);
  const mapped = new Profile({ ...profile.head, comments: [...profile.head.comments] });
  addProfile(mapped, profile, 1, originals.locate);
  const { counts } = originals;
  return { profile: counts.mapped === 0 ? profile : mapped, counts };
}

/** Files of the profile that may name a source map. */
export function scriptsOf({ functions, strings }: Profile): string[] {
  const ids = new Set<number>();
  for (let at = 4; at < functions.length; at += 4) ids.add(functions[at + 2]!);
  return [...ids].map((id) => strings.get(id)).filter((file) => ABSOLUTE_PATH.test(file));
}

/** For people; '' where no script has a map. */
export function describeMapped({ mapped, unmapped }: MappedCounts): string {
  const left = [...unmapped].sort(([, one], [, other]) => other - one);
  const total = left.reduce((sum, [, count]) => sum + count, 0);
  if (mapped + total === 0) return '';
  const named = `${mapped} functions named by their sources`;
  if (total === 0) return named;
  const reasons = left.slice(0, REASONS_SHOWN_MAX).map(([reason, count]) => `${count} ${reason}`);
  if (left.length > REASONS_SHOWN_MAX) reasons.push('...');
  return `${named}, ${total} left as they are: ${reasons.join(', ')}`;
}

class Originals {
  readonly counts: MappedCounts = { mapped: 0, unmapped: new Map() };
  #mapOf: MapOfFile;
  #maps = new Map<string, SourceMap | string | null>();
  /** By function id, or by minus the location's where only a call in the function is known; null: stays as it is. */
  #found = new Map<number, Found | null>();

  constructor(mapOf: MapOfFile) {
    this.#mapOf = mapOf;
  }

  readonly locate: Locate = (into, other, location) => {
    const functionId = other.locations[location * 2]!;
    const line = other.locations[location * 2 + 1]!;
    const entry = other.functionAt(functionId);
    const { column = 0, inlined = false } = other.placeOf(location);
    const key = entry.startLine > 0 ? functionId : -location;
    let found = this.#found.get(key);
    if (found === undefined) {
      found = this.#lookUp(entry, line, column);
      this.#found.set(key, found);
    }
    if (found === null) return sameLocation(into, other, location);
    const { original, generatedName, map } = found;
    const { name, file, startLine } = original;
    const systemName = name === generatedName ? entry.systemName : generatedName;
    const at = originalPlace(map, entry, original, line, column);
    return into.location(into.function(name, systemName, file, startLine), at?.line ?? startLine, {
      column: at === null || column === 0 ? 0 : at.column,
      inlined,
    });
  };

  /** line, column: of a call in the function. */
  #lookUp(entry: ProfileFunction, line: number, column: number): Found | null {
    const map = this.#mapOfFile(entry.file);
    if (map === null) return null;
    if (typeof map === 'string') return this.#left(map);
    const name = isNameless(entry.name) ? '' : entry.name;
    const generated = { ...entry, name };
    const original =
      entry.startLine > 0 ? originalFunction(map, generated) : originalOfCall(map, name, line, column);
    if (original === null) return isWholeScript(generated) ? null : this.#left(UNKNOWN_TO_MAP);
    this.counts.mapped++;
    return { original, generatedName: entry.name, map };
  }

  #left(reason: string): null {
    this.counts.unmapped.set(reason, (this.counts.unmapped.get(reason) ?? 0) + 1);
    return null;
  }

  #mapOfFile(file: string): SourceMap | string | null {
    let map = this.#maps.get(file);
    if (map === undefined) {
      map = file === '' ? null : this.#mapOf(file);
      this.#maps.set(file, map);
    }
    return map;
  }
}
