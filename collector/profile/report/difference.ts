/**
 * What changed between two profiles, function by function: flat and cum after, less what they were before. A function
 * is known again by its name and file; its lines may have moved.
 *
 * Normalised, what came after is scaled to the total of before, so that a longer capture or more load is no change:
 * shares are compared. `go tool pprof -normalize -diff_base` does the same.
 */
import type { Profile } from '../profile';
import { unfit } from '../profile-error';
import { typeName } from '../value-type';
import { type TopFunction, topFunctions, totalOf } from './top';
import { placedName } from './top-table';
import { percentOf, type ValueScale } from './value-scale';

export type Difference = {
  name: string;
  file: string;
  /** As it is after, where it is there. */
  line: number;
  flat: number;
  cumulative: number;
  before: { flat: number; cumulative: number };
  after: { flat: number; cumulative: number };
};

export type Comparison = {
  /** The most changed first, those that did not change left out. */
  functions: Difference[];
  beforeTotal: number;
  /** Not scaled. */
  afterTotal: number;
  /** What values of after were multiplied by. */
  factor: number;
};

type Side = { profile: Profile; type: number };

export function compareProfiles(before: Side, after: Side, normalize: boolean): Comparison {
  const beforeTotal = totalOf(before.profile, before.type);
  const afterTotal = totalOf(after.profile, after.type);
  const factor = normalize && afterTotal !== 0 ? beforeTotal / afterTotal : 1;
  const functions = new Map<string, Difference>();
  for (const row of topFunctions(before.profile, before.type)) {
    addTo(rowOf(functions, row).before, row, 1);
  }
  for (const row of topFunctions(after.profile, after.type)) {
    const difference = rowOf(functions, row);
    difference.line = row.line;
    addTo(difference.after, row, factor);
  }
  for (const row of functions.values()) {
    row.flat = row.after.flat - row.before.flat;
    row.cumulative = row.after.cumulative - row.before.cumulative;
  }
  const changed = [...functions.values()].filter(
    ({ flat, cumulative }) => Math.abs(flat) >= 0.5 || Math.abs(cumulative) >= 0.5,
  );
  changed.sort(
    (left, right) =>
      Math.abs(right.flat) - Math.abs(left.flat) || Math.abs(right.cumulative) - Math.abs(left.cumulative),
  );
  return { functions: changed, beforeTotal, afterTotal, factor };
}

/** The type of one that the other has too: `wanted`, else the default of the second. */
export function commonType(before: Profile, after: Profile, wanted: number): number {
  const name = typeName(after.head.sampleTypes[wanted]!);
  const found = before.head.sampleTypes.findIndex((type) => typeName(type) === name);
  if (found >= 0) return found;
  const has = before.head.sampleTypes.map(typeName).join(', ');
  throw unfit(`the second profile measures ${name}, the first ${has}: take two of the same kind`);
}

/** rows: shown at most. */
export function differenceTable(
  { functions, beforeTotal }: Comparison,
  scale: ValueScale,
  rows: number,
): string[] {
  const value = (text: string) => text.padStart(scale.columns + 1);
  // Of what was next to nothing, thousands of percent may have been added.
  const percent = (text: string) => ` ${text.padStart(8)}`;
  return [
    `${value('flat')}${percent('flat %')}${value('cum')}${percent('cum %')}${value('before')}${value('after')}  function`,
    ...functions.slice(0, rows).map((row) => {
      const { flat, cumulative, before, after } = row;
      const flats = `${value(scale.signed(flat))}${percent(signedPercent(flat, beforeTotal))}`;
      const cums = `${value(scale.signed(cumulative))}${percent(signedPercent(cumulative, beforeTotal))}`;
      return `${flats}${cums}${value(scale.text(before.flat))}${value(scale.text(after.flat))}  ${placedName(row)}`;
    }),
  ];
}

function signedPercent(part: number, whole: number): string {
  const text = percentOf(part, whole);
  return part > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

function rowOf(rows: Map<string, Difference>, { name, file, line }: TopFunction): Difference {
  const key = `${name.length},${name}${file}`;
  let row = rows.get(key);
  if (row === undefined) {
    const nothing = () => ({ flat: 0, cumulative: 0 });
    row = { name, file, line, flat: 0, cumulative: 0, before: nothing(), after: nothing() };
    rows.set(key, row);
  }
  return row;
}

/** Functions of one name in one file are summed up: what tells them apart is the line, and that may have moved. */
function addTo(sums: { flat: number; cumulative: number }, row: TopFunction, factor: number): void {
  sums.flat += row.flat * factor;
  sums.cumulative += row.cumulative * factor;
}
