import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';
import { openEventLoop } from '../../agent/sources/event-loop';
import { ControlCell, ControlWord } from '../../assembly/layout';
import { RecordingWriter } from './recording-writer';

function opened(afterPong: () => void) {
  const control = new ControlPage();
  const { port1, port2 } = new MessageChannel();
  const guard = new SourceGuard('event-loop', control, nowMicros);
  const context = { writer: new RecordingWriter(), control, guard, nowMicros };
  guard.opened(openEventLoop(context, port1, afterPong));
  const words = new Int32Array(control.buffer);
  return { control, guard, port2, pong: () => words[ControlWord.PongSequence] };
}

describe('the event loop source', () => {
  it('answers pings through the control page', async () => {
    let pongs = 0;
    const { control, guard, port2, pong } = opened(() => pongs++);
    port2.postMessage(7);
    await expect.poll(pong).toBe(7);
    const cells = new Float64Array(control.buffer, 256);
    expect(Math.abs(cells[ControlCell.PongAtMicros]! - nowMicros())).toBeLessThan(5e6);
    expect(cells[ControlCell.HeapUsedBytes]).toBeGreaterThan(1e6);
    expect([pongs, control.pingsEnded, control.hostFaults]).toEqual([1, false, 0]);
    guard.close();
    expect(control.pingsEnded).toBe(true);
  });

  it('says that it no longer answers when its faults switched it off', async () => {
    const { control, guard, port2 } = opened(() => {
      throw new Error('broken on purpose');
    });
    for (let sequence = 1; sequence <= 3; sequence++) port2.postMessage(sequence);
    await expect.poll(() => guard.open).toBe(false);
    expect([control.hostFaults, control.pingsEnded]).toEqual([3, true]);
  });

  it('says so, too, when it cannot even listen', () => {
    const control = new ControlPage();
    const guard = new SourceGuard('event-loop', control, nowMicros);
    const context = { writer: new RecordingWriter(), control, guard, nowMicros };
    const deaf = {
      on() {
        throw new Error('broken on purpose');
      },
    };
    expect(() => openEventLoop(context, deaf as never, () => {})).toThrow();
    expect(control.pingsEnded).toBe(true);
  });
});
