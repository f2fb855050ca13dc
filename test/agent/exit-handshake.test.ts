import { afterEach, describe, expect, it, vi } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { ExitHandshake } from '../../agent/exit-handshake';

const exits = () => process.listenerCount('exit');

const control = new ControlPage();
const handshake = new ExitHandshake(control, () => {}, nowMicros);
afterEach(() => {
  vi.restoreAllMocks();
  handshake.disarm();
});

describe('the exit handshake', () => {
  it('listens once, however often it is armed again, and again after its listener was removed', () => {
    const before = exits();
    handshake.arm();
    handshake.rearm();
    expect(exits()).toBe(before + 1);
    process.removeListener('exit', process.listeners('exit').at(-1)!);
    handshake.rearm();
    expect(exits()).toBe(before + 1);
    handshake.disarm();
    handshake.rearm();
    expect(exits()).toBe(before);
  });

  it('gives up arming again when that fails, and tells of one fault', () => {
    handshake.arm();
    vi.spyOn(process, 'listeners').mockImplementation(() => {
      throw new Error('broken on purpose');
    });
    for (let pong = 0; pong < 5; pong++) handshake.rearm();
    expect(control.hostFaults).toBe(1);
  });
});
