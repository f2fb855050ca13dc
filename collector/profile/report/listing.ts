/**
 * Source text with what its lines took: by themselves (flat) and with what they called (cum), as `go tool pprof -list`
 * shows it. A line that is on a stack more than once counts once; so does the function as a whole.
 */
import { printable } from '../printable';
import type { Profile } from '../profile';
import { percentOf, type ValueScale } from './value-scale';

const LINE_COLUMNS = 7;
/** Lines around those with samples. */
const MARGIN_LINES = 5;
/** One-line bundles exist. */
const SOURCE_COLUMNS_MAX = 400;

/** The lines of a source file; null where it cannot be read. */
export type SourceReader = (file: string) => readonly string[] | null;

export type ListedLine = { line: number; flat: number; cumulative: number };
export type Listing = {
  name: string;
  file: string;
  startLine: number;
  flat: number;
  cumulative: number;
  /** Those with samples, in order; line 0 for samples whose line is not known. */
  lines: ListedLine[];
};

/** Functions whose name matches, by name and file. */
export function listFunctions(profile: Profile, type: number, pattern: RegExp): Listing[] {
  const listings = new Map<string, Listing>();
  const ofFunction = new Map<number, Listing | null>();
  const stride = profile.head.sampleTypes.length;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[sample * stride + type]!;
    const counted = new Set<object>();
    profile.locationsOf(profile.samples[sample * 2]!).forEach((location, index) => {
      const functionId = profile.locations[location * 2]!;
      let listing = ofFunction.get(functionId);
      if (listing === undefined) {
        listing = listingOf(listings, profile, functionId, pattern);
        ofFunction.set(functionId, listing);
      }
      if (listing === null) return;
      const line = lineOf(listing, profile.locations[location * 2 + 1]!);
      for (const entry of [listing, line]) {
        if (index === 0) entry.flat += value;
        if (!counted.has(entry)) entry.cumulative += value;
        counted.add(entry);
      }
    });
  }
  const found = [...listings.values()];
  for (const { lines } of found) lines.sort((left, right) => left.line - right.line);
  return found.sort((left, right) => Math.abs(right.cumulative) - Math.abs(left.cumulative));
}

function listingOf(
  listings: Map<string, Listing>,
  profile: Profile,
  functionId: number,
  pattern: RegExp,
): Listing | null {
  const { name, file, startLine } = profile.functionAt(functionId);
  if (!pattern.test(name)) return null;
  const key = `${name.length},${name}${file}`;
  const listing = listings.get(key) ?? { name, file, startLine, flat: 0, cumulative: 0, lines: [] };
  if (startLine > 0) listing.startLine = Math.min(startLine, listing.startLine || startLine);
  listings.set(key, listing);
  return listing;
}

function lineOf({ lines }: Listing, line: number): ListedLine {
  let entry = lines.find((one) => one.line === line);
  if (entry === undefined) {
    entry = { line, flat: 0, cumulative: 0 };
    lines.push(entry);
  }
  return entry;
}

export function listingText(
  listing: Listing,
  read: SourceReader,
  total: number,
  scale: ValueScale,
): string[] {
  const { name, file, startLine, flat, cumulative, lines } = listing;
  const figures = `${value(scale.text(flat), scale)}${value(scale.text(cumulative), scale)}`;
  const head = [
    `function ${printable(name)} in ${file === '' ? '(no file)' : printable(file)}`,
    `${figures} (flat, cum) ${percentOf(cumulative, total)} of the total`,
  ];
  const source = file === '' ? null : read(file);
  const known = lines.filter(({ line }) => line > 0);
  if (source === null || known.length === 0) {
    const why = file === '' ? 'it has no source' : 'its source cannot be read here';
    return [...head, ...lines.map((line) => lineText(line, scale, `(${why})`))];
  }
  const first = Math.max(1, startLine || known[0]!.line - MARGIN_LINES);
  const last = Math.min(source.length, known.at(-1)!.line + MARGIN_LINES);
  const rows: ListedLine[] = lines.filter(({ line }) => line < first || line > source.length);
  for (let line = first; line <= last; line++) {
    rows.push(known.find((one) => one.line === line) ?? { line, flat: 0, cumulative: 0 });
  }
  return [...head, ...rows.map((row) => lineText(row, scale, textAt(source, row.line)))];
}

function lineText({ line, flat, cumulative }: ListedLine, scale: ValueScale, text: string): string {
  const number = (line === 0 ? '?' : String(line)).padStart(LINE_COLUMNS);
  return `${dotted(flat, scale)}${dotted(cumulative, scale)}${number}: ${text}`.trimEnd();
}

function textAt(source: readonly string[], line: number): string {
  if (line === 0) return '(line not known)';
  const text = source[line - 1];
  if (text === undefined) return '(the source has no such line: it has changed)';
  return printable(text.replaceAll('\t', '    ').slice(0, SOURCE_COLUMNS_MAX));
}

function dotted(amount: number, scale: ValueScale): string {
  return value(amount === 0 ? '.' : scale.text(amount), scale);
}

function value(text: string, scale: ValueScale): string {
  return text.padStart(scale.columns);
}
