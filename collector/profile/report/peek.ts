/**
 * A function between its callers and what it calls, each with what passed through the two of them:
 *
 *      4.00 s  80.0 %    | main  /srv/app.js:1
 *      5.00 s 100.0 %  handler  /srv/app.js:12, 1.00 s by itself
 *      3.00 s  60.0 %    | parse  /srv/app.js:30
 */
import type { Profile } from '../profile';
import { placedName } from './top-table';
import { percentOf, type ValueScale } from './value-scale';

const PERCENT_COLUMNS = 8;

type Peeked = {
  functionId: number;
  flat: number;
  cumulative: number;
  callers: Map<number, number>;
  callees: Map<number, number>;
};

/** One block for each function whose name matches, the most first. A pair that is on a stack twice counts once. */
export function peekFunctions(
  profile: Profile,
  type: number,
  pattern: RegExp,
  scale: ValueScale,
): string[][] {
  const matching = functionsByName(profile, pattern);
  const stride = profile.head.sampleTypes.length;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[sample * stride + type]!;
    const functions = profile
      .locationsOf(profile.samples[sample * 2]!)
      .map((location) => profile.locations[location * 2]!);
    addStack(matching, functions, value);
  }
  return [...matching.values()]
    .filter(({ cumulative, flat }) => cumulative !== 0 || flat !== 0)
    .sort((left, right) => Math.abs(right.cumulative) - Math.abs(left.cumulative))
    .map((peeked) => blockOf(profile, peeked, scale));
}

function functionsByName(profile: Profile, pattern: RegExp): Map<number, Peeked> {
  const found = new Map<number, Peeked>();
  for (let functionId = 1; functionId * 4 < profile.functions.length; functionId++) {
    if (!pattern.test(profile.functionAt(functionId).name)) continue;
    found.set(functionId, {
      functionId,
      flat: 0,
      cumulative: 0,
      callers: new Map(),
      callees: new Map(),
    });
  }
  return found;
}

/** functions: leaf first. */
function addStack(matching: ReadonlyMap<number, Peeked>, functions: readonly number[], value: number): void {
  const seen = new Set<string | number>();
  const once = (key: string | number) => !seen.has(key) && seen.add(key) !== undefined;
  functions.forEach((functionId, index) => {
    const peeked = matching.get(functionId);
    if (peeked === undefined) return;
    if (index === 0) peeked.flat += value;
    if (once(functionId)) peeked.cumulative += value;
    const caller = functions[index + 1];
    const callee = functions[index - 1];
    if (caller !== undefined && once(`${functionId}<${caller}`)) addTo(peeked.callers, caller, value);
    if (callee !== undefined && once(`${functionId}>${callee}`)) addTo(peeked.callees, callee, value);
  });
}

function addTo(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function blockOf(profile: Profile, peeked: Peeked, scale: ValueScale): string[] {
  const { functionId, flat, cumulative, callers, callees } = peeked;
  const named = (id: number) => {
    const { name, file, startLine } = profile.functionAt(id);
    return placedName({ name, file, line: startLine });
  };
  const line = (value: number, text: string) =>
    `${scale.text(value).padStart(scale.columns)}${percentOf(value, cumulative).padStart(PERCENT_COLUMNS)}${text}`;
  const around = (sums: ReadonlyMap<number, number>) =>
    [...sums]
      .filter(([, value]) => value !== 0)
      .sort(([, left], [, right]) => Math.abs(right) - Math.abs(left))
      .map(([id, value]) => line(value, `    | ${named(id)}`));
  const own = flat === 0 ? '' : `, ${scale.text(flat)} by itself`;
  return [...around(callers), line(cumulative, `  ${named(functionId)}${own}`), ...around(callees)];
}
