/**
 * The terminal, whole screen: draws a list of rows and writes only those that changed. It takes the alternate screen,
 * hides the cursor and reads keys raw; `close` gives all of it back, also when the process exits another way.
 */
import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const COLUMNS_WITHOUT_SIZE = 80;
const ROWS_WITHOUT_SIZE = 24;
/** A terminal that takes nothing for this long in bytes gets no more frames until it does. */
const BACKLOG_BYTES = 64 * 1024;

export type ScreenEvents = {
  /** Draw again: the size changed. */
  resize(): void;
  /** Ctrl-C: interrupted is true; q: false. */
  quit(interrupted: boolean): void;
};

export class Screen {
  readonly #output: WriteStream;
  readonly #input: ReadStream;
  readonly #events: ScreenEvents;
  readonly #onExit = () => this.close();
  #drawn: string[] = [];
  #open = true;

  constructor(output: WriteStream, input: ReadStream, events: ScreenEvents) {
    this.#output = output;
    this.#input = input;
    this.#events = events;
    output.write(ENTER);
    output.on('resize', this.#onResize);
    process.on('exit', this.#onExit);
    if (input.isTTY) {
      input.setRawMode(true);
      input.on('data', this.#onKeys);
      input.resume();
    }
  }

  get size(): { columns: number; rows: number } {
    return {
      columns: this.#output.columns || COLUMNS_WITHOUT_SIZE,
      rows: this.#output.rows || ROWS_WITHOUT_SIZE,
    };
  }

  draw(rows: readonly string[]): void {
    if (!this.#open || this.#output.writableLength > BACKLOG_BYTES) return;
    let bytes = '';
    for (let i = 0; i < Math.max(rows.length, this.#drawn.length); i++) {
      const row = rows[i] ?? '';
      if (row !== this.#drawn[i]) bytes += `\x1b[${i + 1};1H\x1b[2K${row}`;
    }
    this.#drawn = [...rows];
    if (bytes !== '') this.#output.write(bytes);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.#onExit);
    this.#output.off('resize', this.#onResize);
    if (this.#input.isTTY) {
      this.#input.off('data', this.#onKeys);
      this.#input.setRawMode(false);
      this.#input.pause();
    }
    this.#output.write(LEAVE);
  }

  readonly #onResize = () => {
    this.#drawn = [];
    this.#output.write('\x1b[2J');
    this.#events.resize();
  };

  readonly #onKeys = (keys: Buffer) => {
    const text = keys.toString('latin1');
    if (text.includes('\x03')) this.#events.quit(true);
    else if (text === 'q' || text === 'Q') this.#events.quit(false);
    else if (text === '\x0c') this.#onResize();
  };
}
