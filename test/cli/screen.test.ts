import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { afterEach, describe, expect, it } from 'vitest';
import { Screen } from '../../collector/cli/screen';

class FakeOutput extends EventEmitter {
  columns = 80;
  rows = 24;
  writableLength = 0;
  written: string[] = [];
  write(text: string): void {
    this.written.push(text);
  }
}

class FakeInput extends EventEmitter {
  isTTY = true;
  raw = false;
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  resume(): void {}
  pause(): void {}
}

const output = new FakeOutput();
const input = new FakeInput();
const events: string[] = [];
let screen: Screen | null = null;

function open(): Screen {
  output.written = [];
  events.length = 0;
  screen = new Screen(output as unknown as WriteStream, input as unknown as ReadStream, {
    resize: () => events.push('resize'),
    quit: (interrupted) => events.push(interrupted ? 'interrupted' : 'quit'),
  });
  return screen;
}

afterEach(() => screen?.close());

describe('the screen', () => {
  it('writes only rows that changed, and clears those that went', () => {
    const drawn = open();
    drawn.draw(['one', 'two', 'three']);
    output.written = [];
    drawn.draw(['one', 'TWO', 'three']);
    expect(output.written).toEqual(['\x1b[2;1H\x1b[2KTWO']);
    output.written = [];
    drawn.draw(['one', 'TWO']);
    expect(output.written).toEqual(['\x1b[3;1H\x1b[2K']);
    output.written = [];
    drawn.draw(['one', 'TWO']);
    expect(output.written).toEqual([]);
  });

  it('draws everything again after a resize', () => {
    const drawn = open();
    drawn.draw(['one']);
    output.written = [];
    output.emit('resize');
    expect(events).toEqual(['resize']);
    drawn.draw(['one']);
    expect(output.written).toEqual(['\x1b[2J', '\x1b[1;1H\x1b[2Kone']);
  });

  it('skips frames while the terminal takes nothing', () => {
    const drawn = open();
    output.written = [];
    output.writableLength = 1024 * 1024;
    drawn.draw(['one']);
    output.writableLength = 0;
    expect(output.written).toEqual([]);
    drawn.draw(['one']);
    expect(output.written).toHaveLength(1);
  });

  it('tells q from Ctrl-C', () => {
    open();
    input.emit('data', Buffer.from('x'));
    input.emit('data', Buffer.from('q'));
    input.emit('data', Buffer.from('\x03'));
    expect(events).toEqual(['quit', 'interrupted']);
  });

  it('gives the terminal back once, also when the process exits without closing it', () => {
    const listeners = process.listenerCount('exit');
    const drawn = open();
    expect(output.written[0]).toContain('\x1b[?1049h');
    expect([input.raw, process.listenerCount('exit')]).toEqual([true, listeners + 1]);
    const onExit = process.listeners('exit').at(-1) as () => void;
    onExit();
    drawn.close();
    expect(output.written.filter((text) => text.includes('\x1b[?1049l'))).toHaveLength(1);
    expect([input.raw, process.listenerCount('exit'), input.listenerCount('data')]).toEqual([
      false,
      listeners,
      0,
    ]);
    drawn.draw(['late']);
    expect(output.written.at(-1)).not.toContain('late');
  });
});
