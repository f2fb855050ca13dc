/**
 * Text that came from other programs, made safe for a terminal: no control characters (escape sequences could move
 * the cursor, retitle the window or type commands), no bidirectional overrides, known width in columns.
 */

// C0, DEL and C1 controls, line separators, bidirectional marks and overrides, byte order mark.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029]/g;
const PLAIN_ASCII = /^[ -~]*$/;
const ZERO_WIDTH = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;
// East Asian wide and fullwidth blocks, and the emoji planes.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/** The text without anything that a terminal would act on. */
export function printable(text: string): string {
  return text.replace(UNSAFE, '');
}

/** The same JSON value in characters that no terminal acts on. C0 controls are escaped by JSON itself. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE_IN_JSON, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Columns that printable text takes. */
export function widthColumns(text: string): number {
  if (PLAIN_ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += characterColumns(character);
  return columns;
}

/** Exactly `columns` wide when `pad`, at most that otherwise; what does not fit ends in an ellipsis. */
export function cutText(text: string, columns: number, pad = false): string {
  if (columns <= 0) return '';
  const width = widthColumns(text);
  if (width <= columns) return pad ? text + ' '.repeat(columns - width) : text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = used + characterColumns(character);
    if (next > columns - 1) break;
    kept += character;
    used = next;
  }
  return `${kept}…${pad ? ' '.repeat(columns - 1 - used) : ''}`;
}

function characterColumns(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
