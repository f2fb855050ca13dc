/**
 * Which functions were last called from which, as far as told: the stacks of a dictionary name a callee by its place in
 * its caller's list (dictionary.ts). Sender and receiver keep the same lists, for one message each. Lists are short, so
 * that no message can make the search in them long.
 */
export const CALLEES_MAX = 32;

export class RecentCallees {
  #lists = new Map<number, number[]>();

  /** Where `callee` is in the caller's list, -1 when it is not; from now on it is the first. */
  placeOf(caller: number, callee: number): number {
    const list = this.#listOf(caller);
    const place = list.indexOf(callee);
    this.#toFront(list, place, callee);
    return place;
  }

  /** The callee at a place of the caller's list, undefined when there is none; from now on it is the first. */
  at(caller: number, place: number): number | undefined {
    const list = this.#listOf(caller);
    const callee = list[place];
    if (callee !== undefined) this.#toFront(list, place, callee);
    return callee;
  }

  #listOf(caller: number): number[] {
    const known = this.#lists.get(caller);
    if (known !== undefined) return known;
    const list: number[] = [];
    this.#lists.set(caller, list);
    return list;
  }

  #toFront(list: number[], place: number, callee: number): void {
    let to = place;
    if (place < 0) {
      if (list.length < CALLEES_MAX) list.push(callee);
      to = list.length - 1;
    }
    for (; to > 0; to--) list[to] = list[to - 1]!;
    list[0] = callee;
  }
}
