/**
 * The hottest functions as a table of text:
 *
 *        flat  flat %   sum %         cum   cum %  function
 *      4.10 s  41.0 %  41.0 %      9.80 s  98.0 %  handler  /srv/app.js:12
 */
import { cutText, printable, widthColumns } from '../printable';
import type { TopFunction } from './top';
import { percentOf, type ValueScale } from './value-scale';

export type TopTableOptions = {
  scale: ValueScale;
  /** What percentages are of. */
  total: number;
  /** Rows shown at most. */
  rows: number;
  /** Rows are cut to this width. */
  columns?: number | undefined;
};

const PERCENT_COLUMNS = 8;
/** Of a name, where there is a place behind it and too little room for both. */
const NAME_COLUMNS_MIN = 24;
const NODE_SCHEME = 'node:';

export function topTable(functions: readonly TopFunction[], options: TopTableOptions): string[] {
  const { scale, total, rows, columns = Number.POSITIVE_INFINITY } = options;
  const value = (text: string) => text.padStart(scale.columns);
  const percent = (text: string) => text.padStart(PERCENT_COLUMNS);
  const head = `${value('flat')}${percent('flat %')}${percent('sum %')}${value('cum')}${percent('cum %')}  function`;
  let sum = 0;
  return [
    head,
    ...functions.slice(0, rows).map(({ flat, cumulative, ...named }) => {
      sum += flat;
      const flats = `${value(scale.text(flat))}${percent(percentOf(flat, total))}${percent(percentOf(sum, total))}`;
      const figures = `${flats}${value(scale.text(cumulative))}${percent(percentOf(cumulative, total))}`;
      return `${figures}  ${placedName(named, columns - widthColumns(figures) - 2)}`;
    }),
  ];
}

/** Name and place, printable. Of a path too long, the end is kept: that is what tells. */
export function placedName(
  { name, file, line }: { name: string; file: string; line: number },
  columns = Number.POSITIVE_INFINITY,
): string {
  const shownName = printable(name);
  if (file === '') return cutText(shownName, columns);
  const place = printable(line > 0 ? `${file}:${line}` : file);
  const free = columns - widthColumns(shownName) - 2;
  if (free >= widthColumns(place)) return `${shownName}  ${place}`;
  const placeColumns = Math.max(free, Math.min(widthColumns(place), columns - NAME_COLUMNS_MIN - 2));
  const cutName = cutText(shownName, columns - placeColumns - 2);
  return `${cutName}  ${cutLeft(place, placeColumns)}`;
}

/** A module of Node.js is still told as one. */
function cutLeft(text: string, columns: number): string {
  if (widthColumns(text) <= columns) return text;
  if (text.startsWith(NODE_SCHEME) && columns > 2 * NODE_SCHEME.length)
    return `${NODE_SCHEME}${cutLeft(text.slice(NODE_SCHEME.length), columns - NODE_SCHEME.length)}`;
  let kept = '';
  for (const character of [...text].reverse()) {
    if (widthColumns(kept) + widthColumns(character) > columns - 1) break;
    kept = character + kept;
  }
  return `…${kept}`;
}
