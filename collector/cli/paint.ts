/** Rows of styled text: made of segments, cut to the terminal's width first and coloured last. */
import { cutText, widthColumns } from '../profile/printable';

export type Style = 'plain' | 'dim' | 'bold' | 'red' | 'yellow' | 'green' | 'inverse';
export type Segment = { text: string; style: Style };
export type Row = Segment[];

const CODES: Record<Style, string> = {
  plain: '',
  dim: '2',
  bold: '1',
  red: '1;31',
  yellow: '33',
  green: '32',
  inverse: '7',
};

export function segment(text: string, style: Style = 'plain'): Segment {
  return { text, style };
}

/** At most `columns` wide. Segments hold printable text already. */
export function paintRow(row: Row, columns: number, color: boolean): string {
  let left = columns;
  let painted = '';
  for (const { text, style } of row) {
    if (left <= 0) break;
    const cut = cutText(text, left);
    left -= widthColumns(cut);
    painted += color && style !== 'plain' ? `\x1b[${CODES[style]}m${cut}\x1b[0m` : cut;
    if (cut !== text) break;
  }
  return painted;
}
