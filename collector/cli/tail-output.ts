/**
 * Where tail lines go: the live view on a terminal, plain text or NDJSON elsewhere. One interface, so that `tail` and
 * `demo` need not know which.
 */

import { printable, printableJson } from '../profile/printable';
import type { TailLine } from '../tail/schema';
import { Board } from './board';
import { plainLines } from './plain';
import { Screen } from './screen';
import { renderView } from './view';

export interface TailOutput {
  line(line: TailLine, text: string): void;
  /** '' when the connection stands, else what is wrong with it. */
  trouble(text: string): void;
  close(): void;
}

export type TailFormat = 'view' | 'plain' | 'json';

const REDRAW_MILLIS = 250;
/** A reader that is this far behind loses lines instead of making us keep them. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

/** The live view needs a terminal that can move its cursor. */
export function tailFormat(options: { json: boolean; plain: boolean }): TailFormat {
  if (options.json) return 'json';
  const dumb = process.env.TERM === 'dumb';
  return process.stdout.isTTY && !options.plain && !dumb ? 'view' : 'plain';
}

export function openTailOutput(
  format: TailFormat,
  source: string,
  footer: readonly string[],
  quit: (interrupted: boolean) => void,
): TailOutput {
  return format === 'view' ? new ViewOutput(source, footer, quit) : new LineOutput(format, quit);
}

class LineOutput implements TailOutput {
  readonly #format: TailFormat;
  readonly #onError: () => void;
  #trouble = '';
  #skippedLines = 0;

  constructor(format: TailFormat, quit: (interrupted: boolean) => void) {
    this.#format = format;
    // The reader left (`ringtail tail | head`): nothing more to do, and nothing to complain about.
    this.#onError = () => quit(false);
    process.stdout.on('error', this.#onError);
  }

  line(line: TailLine, text: string): void {
    if (process.stdout.writableLength > BACKLOG_BYTES) {
      this.#skippedLines++;
      return;
    }
    if (this.#skippedLines > 0)
      process.stderr.write(`ringtail: output is slow, ${this.#skippedLines} lines left out\n`);
    this.#skippedLines = 0;
    const rows = this.#format === 'json' ? [printableJson(text)] : plainLines(line);
    process.stdout.write(`${rows.join('\n')}\n`);
  }

  trouble(text: string): void {
    if (text === this.#trouble) return;
    process.stderr.write(text === '' ? 'ringtail: connected again\n' : `ringtail: ${printable(text)}\n`);
    this.#trouble = text;
  }

  close(): void {
    process.stdout.off('error', this.#onError);
  }
}

class ViewOutput implements TailOutput {
  readonly #board = new Board();
  readonly #screen: Screen;
  readonly #source: string;
  readonly #footer: readonly string[];
  readonly #timer: NodeJS.Timeout;
  readonly #color = (process.env.NO_COLOR ?? '') === '';
  #trouble = '';

  constructor(source: string, footer: readonly string[], quit: (interrupted: boolean) => void) {
    this.#source = source;
    this.#footer = footer;
    this.#screen = new Screen(process.stdout, process.stdin, { resize: () => this.#draw(), quit });
    this.#timer = setInterval(() => this.#draw(), REDRAW_MILLIS);
    this.#draw();
  }

  line(line: TailLine): void {
    this.#board.add(line);
    this.#draw();
  }

  trouble(text: string): void {
    this.#trouble = text;
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#screen.close();
  }

  #draw(): void {
    this.#screen.draw(
      renderView(this.#board, {
        ...this.#screen.size,
        color: this.#color,
        nowMillis: Date.now(),
        source: this.#source,
        trouble: this.#trouble,
        footer: this.#footer,
      }),
    );
  }
}
