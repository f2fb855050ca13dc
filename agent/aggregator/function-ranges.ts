/** Which function of a script covers a line, and which starts at a place: lookups in what function-scanner.ts has found. */
import { firstThat } from '../../collector/profile/first-not-before';

/** Lines and columns are 1-based; the end is that of the closing brace or of an arrow's expression, its column the one behind. */
export type FunctionRange = {
  name: string;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
  /** Of a constructor whose class has a name, which V8 shows instead of its own. */
  className?: string;
};

/**
 * The innermost function that covers `line`, or null: none, or two that start on one line (a bundle of one line tells
 * nothing). `ranges`: in order of their start.
 */
export function innermostAt(ranges: readonly FunctionRange[], line: number): FunctionRange | null {
  let best: FunctionRange | null = null;
  for (let i = firstFrom(ranges, line + 1) - 1; i >= 0; i--) {
    const range = ranges[i]!;
    if (best !== null && range.line < best.line) break;
    if (range.endLine < line) continue;
    if (best !== null) return null;
    best = range;
  }
  return best;
}

/** All functions that cover `line`, the outermost first. `ranges`: in order of their start. */
export function coveringAt(ranges: readonly FunctionRange[], line: number): FunctionRange[] {
  const found: FunctionRange[] = [];
  const end = firstFrom(ranges, line + 1);
  for (let i = 0; i < end; i++) if (ranges[i]!.endLine >= line) found.push(ranges[i]!);
  return found;
}

/** The range of the function that V8 says starts at (line, column); by line alone where only one starts there. */
export function rangeOf(
  ranges: readonly FunctionRange[],
  line: number,
  column: number,
): FunctionRange | null {
  const first = firstFrom(ranges, line);
  let count = 0;
  for (; ranges[first + count]?.line === line; count++)
    if (ranges[first + count]!.column === column) return ranges[first + count]!;
  return count === 1 ? ranges[first]! : null;
}

/** Index of the first range that starts at `line` or later. */
function firstFrom(ranges: readonly FunctionRange[], line: number): number {
  return firstThat(ranges.length, (index) => ranges[index]!.line >= line);
}
