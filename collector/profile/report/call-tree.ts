/**
 * Who calls whom, root first: each function below its caller, with what it took with all it called (total) and by itself
 * (self). What is below the cut-off is left out, and said so where it was.
 */
import { functionTree } from '../function-tree';
import type { Profile } from '../profile';
import { totalOf } from './top';
import { placedName } from './top-table';
import { percentOf, type ValueScale } from './value-scale';

const PERCENT_COLUMNS = 8;
const INDENT = '  ';
/** Deeper levels are told by their number: their names would stand beyond any screen. */
const INDENTS_MAX = 40;

export type CallTreeOptions = {
  type: number;
  scale: ValueScale;
  /** Percent of the total below which a call is left out. */
  minPercent: number;
  /** What percentages are of; of this profile's own where it is not given. */
  total?: number | undefined;
};

type Level = { index: number; depth: number };

export function callTree(profile: Profile, options: CallTreeOptions): string[] {
  const { type, scale, minPercent, total = totalOf(profile, type) } = options;
  const { functions, children, indices } = functionTree(profile);
  const self = new Array<number>(functions.length).fill(0);
  const stride = profile.head.sampleTypes.length;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    self[indices[profile.samples[sample * 2]!]!]! += profile.values[sample * stride + type]!;
  }
  const totals = [...self];
  // A caller has a smaller index than what it calls.
  for (let index = functions.length - 1; index >= 0; index--) {
    for (const child of children[index]!) totals[index]! += totals[child]!;
  }
  const least = (minPercent / 100) * total;
  const isShown = (index: number) => Math.abs(totals[index]!) >= least && totals[index] !== 0;
  const line = (value: number, own: string, text: string) =>
    `${scale.text(value).padStart(scale.columns)}${percentOf(value, total).padStart(PERCENT_COLUMNS)}${own.padStart(scale.columns)}  ${text}`;
  const lines = [
    `${'total'.padStart(scale.columns)}${'total %'.padStart(PERCENT_COLUMNS)}${'self'.padStart(scale.columns)}  call`,
  ];
  const pending: Level[] = [{ index: 0, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { index, depth } = next;
    if (index !== 0) {
      const { name, file, startLine } = profile.functionAt(functions[index]!);
      const text = `${indent(depth)}${placedName({ name, file, line: startLine })}`;
      lines.push(line(totals[index]!, self[index] === 0 ? '.' : scale.text(self[index]!), text));
    }
    const shown = children[index]!.filter(isShown);
    const left = children[index]!.filter((child) => !isShown(child) && totals[child] !== 0);
    if (left.length > 0) {
      const sum = left.reduce((all, child) => all + totals[child]!, 0);
      lines.push(line(sum, '', `${indent(depth + 1)}(${left.length} below the cut-off)`));
    }
    shown.sort((a, b) => Math.abs(totals[a]!) - Math.abs(totals[b]!));
    for (const child of shown) pending.push({ index: child, depth: depth + 1 });
  }
  return lines;
}

function indent(depth: number): string {
  const level = depth - 1;
  return level <= INDENTS_MAX ? INDENT.repeat(level) : `${INDENT.repeat(INDENTS_MAX)}[${level}] `;
}
