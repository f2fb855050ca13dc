/**
 * Paths to templates, for servers that do not tell their routes: `/users/42/orders?x=1` becomes `/users/:id/orders`.
 * Only words stay; numbers, uuids, hashes, names with dots or escapes become `:id`, and the query string is never looked
 * at. What is still too much for one place in a path (names of people look like words) becomes `:id` there as well, so
 * that there is a bounded number of templates, however the paths are made.
 */

/** Words that one place in a path may have; deeper parts of a path are a `*`. */
const WORDS_PER_PLACE = 32;
const DEPTH_MAX = 6;
const PLACES_MAX = 1000;
const WORD = /^(?:\.?[A-Za-z][A-Za-z_-]{0,23}|v\d{1,2})$/;
const VARIABLE = ':id';

type Place = { template: string; words: Map<string, Place>; variable: Place | null };

export class PathTemplates {
  readonly #root = placeOf('');
  #places = 0;

  /** '' for what is no path, and for what was not seen yet unless it may be learnt. */
  of(target: string, mayLearn: boolean): string {
    if (target.charCodeAt(0) !== 47) return '';
    const query = target.indexOf('?');
    const end = query < 0 ? target.length : query;
    let place = this.#root;
    let depth = 0;
    for (let from = 1; from < end; ) {
      const slash = target.indexOf('/', from);
      const to = slash < 0 || slash > end ? end : slash;
      if (to > from) {
        if (++depth > DEPTH_MAX) return `${place.template}/*`;
        // Most of what is no word begins with a digit: that costs no string.
        const next: Place | null = isDigit(target.charCodeAt(from))
          ? this.#variable(place, mayLearn)
          : this.#next(place, target.slice(from, to), mayLearn);
        if (next === null) return '';
        place = next;
      }
      from = to + 1;
    }
    return place === this.#root ? '/' : place.template;
  }

  #next(place: Place, part: string, mayLearn: boolean): Place | null {
    const known = place.words.get(part);
    if (known !== undefined) return known;
    const isNewWord = mayLearn && place.words.size < WORDS_PER_PLACE && WORD.test(part);
    if (!isNewWord || this.#places >= PLACES_MAX) return this.#variable(place, mayLearn);
    const word = this.#added(place, part);
    place.words.set(part, word);
    return word;
  }

  #variable(place: Place, mayLearn: boolean): Place | null {
    if (place.variable === null && mayLearn && this.#places < PLACES_MAX)
      place.variable = this.#added(place, VARIABLE);
    return place.variable;
  }

  #added(place: Place, part: string): Place {
    this.#places++;
    return placeOf(`${place.template}/${part}`);
  }
}

function placeOf(template: string): Place {
  return { template, words: new Map(), variable: null };
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
