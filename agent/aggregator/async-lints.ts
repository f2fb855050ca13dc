/**
 * What looks like a leak among live asynchronous resources: groups made on one stack that only grow, and all of them
 * together where they are many. Each is told when it is found and every ten minutes while it lasts.
 */
import { AsyncBit } from '../../assembly/layout';
import { fileOf, functionName } from '../../collector/profile/frame';
import type { AsyncPageReader } from './async-page';
import { callSiteOf } from './call-site';

const LOOK_EVERY_MICROS = 10e6;
/** Grown in so many looks in a row. */
const RISES = 3;
const TELL_AGAIN_MICROS = 600e6;
/** What is few is no leak yet. */
const TOTAL_MIN = 10_000;
const GROUP_MIN = 1000;
const INTERVALS_MIN = 50;
const PROMISES_MIN = 100;
const PROMISE_AGE_MICROS = 30e6;
const GROUPS_MAX = 2048;
const FINDINGS_MAX = 16;
const ABORT_URL = 'node:internal/abort_controller';
const PROMISE = 'PROMISE';
const INTERVAL = 'Interval';

/** All live resources of a type that were made on a stack. */
type Group = { type: string; stack: number; count: number; oldestMicros: number };
type Finding = { key: string; text: string };

export class AsyncLints {
  readonly #page: AsyncPageReader;
  readonly #note: (text: string) => void;
  #lookAtMicros = 0;
  #rises = new Map<string, { count: number; rises: number; from: number }>();
  #toldMicros = new Map<string, number>();
  /** Now, a sentence each. */
  findings: readonly string[] = [];

  constructor(page: AsyncPageReader, note: (text: string) => void) {
    this.#page = page;
    this.#note = note;
  }

  everySecond(nowMicros: number, state: number): void {
    if (nowMicros - this.#lookAtMicros < LOOK_EVERY_MICROS) return;
    this.#lookAtMicros = nowMicros;
    const groups = (state & AsyncBit.Hooks) === 0 ? [] : this.#groups();
    const found = this.#find(groups, nowMicros).slice(0, FINDINGS_MAX);
    this.findings = found.map(({ text }) => text);
    for (const { key, text } of found) {
      if (nowMicros - (this.#toldMicros.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MICROS) continue;
      this.#toldMicros.set(key, nowMicros);
      this.#note(text);
    }
    const keys = new Set(found.map(({ key }) => key));
    for (const [key, at] of this.#toldMicros)
      if (!keys.has(key) && nowMicros - at > TELL_AGAIN_MICROS) this.#toldMicros.delete(key);
  }

  #find(groups: readonly Group[], nowMicros: number): Finding[] {
    const seen = new Map(this.#rises);
    this.#rises = new Map();
    const found: Finding[] = [];
    for (const group of groups) {
      const key = `${group.type} ${group.stack}`;
      const { rises, from } = this.#grown(seen, key, group.count);
      const text = this.#lint(group, rises >= RISES, group.count - from, nowMicros);
      if (text !== '') found.push({ key, text });
    }
    const followed = groups.reduce((sum, { count }) => sum + count, 0);
    const active = [...this.#page.active().values()].reduce((sum, count) => sum + count, 0);
    const total = Math.max(followed, active);
    const { rises } = this.#grown(seen, '', total);
    if (total > TOTAL_MIN && rises >= RISES) {
      const [most] = groups;
      const where = most === undefined ? '' : `; most are ${most.type} made at ${this.#placeOf(most.stack)}`;
      found.unshift({
        key: '',
        text: `${total} live asynchronous resources, and they become more and more${where}`,
      });
    }
    return found;
  }

  #lint({ type, stack, count, oldestMicros }: Group, rising: boolean, more: number, now: number) {
    const place = this.#placeOf(stack);
    if (type === PROMISE) {
      const ageSeconds = Math.round((now - oldestMicros) / 1e6);
      return count >= PROMISES_MIN && now - oldestMicros > PROMISE_AGE_MICROS
        ? `${count} promises made at ${place} have not settled, the oldest for ${ageSeconds} s`
        : '';
    }
    if (!rising) return '';
    if (type === INTERVAL)
      return count >= INTERVALS_MIN
        ? `${count} intervals made at ${place}, ${more} more since: clear them`
        : '';
    if (count < GROUP_MIN) return '';
    if (this.#madeBy(stack, ABORT_URL))
      return `${count} timers of abort signals made at ${place}, ${more} more since: abort or share them`;
    return `${count} ${type} made at ${place}, ${more} more since`;
  }

  #grown(
    seen: ReadonlyMap<string, { count: number; rises: number; from: number }>,
    key: string,
    count: number,
  ) {
    const before = seen.get(key);
    const grown =
      before === undefined || count <= before.count
        ? { count, rises: 0, from: count }
        : { count, rises: before.rises + 1, from: before.from };
    if (this.#rises.size < GROUPS_MAX) this.#rises.set(key, grown);
    return grown;
  }

  /** The largest first. */
  #groups(): Group[] {
    const groups = new Map<string, Group>();
    for (const { type, stack, weight, createdMicros } of this.#page.live()) {
      const key = `${type} ${stack}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { type, stack, count: weight, oldestMicros: createdMicros });
      else {
        group.count += weight;
        group.oldestMicros = Math.min(group.oldestMicros, createdMicros);
      }
    }
    return [...groups.values()].sort((left, right) => right.count - left.count).slice(0, GROUPS_MAX);
  }

  #placeOf(stack: number): string {
    const site = callSiteOf(this.#page, stack);
    if (site === 0) return 'an unknown place';
    const entry = this.#page.functionOf(site);
    return `${functionName(entry)} (${fileOf(entry.url)}:${this.#page.lineOf(site)})`;
  }

  #madeBy(stack: number, url: string): boolean {
    for (let id = stack; id !== 0; id = this.#page.parentOf(id))
      if (this.#page.functionOf(id).url === url) return true;
    return false;
  }
}
