import { afterEach, describe, expect, it, vi } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { ExitHandshake } from '../../agent/exit-handshake';
import type { ThreadFigures } from '../../agent/starvation';
import { AgentState, ControlWord } from '../../assembly/layout';

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

type Thread = {
  letGoMillis?: number;
  closedMillis?: number;
  figures?: (nowMicros: number) => ThreadFigures | null;
};

/** How long main waits at its exit, ms, and whether it gave up the agent thread, which gets so far by then. */
function leaves(
  sliceMillis: number,
  { letGoMillis, closedMillis, figures = () => null }: Thread,
  exitCode = 0,
  moreMillis = 0,
) {
  const page = new ControlPage();
  const words = new Int32Array(page.buffer);
  words[ControlWord.AgentState] = AgentState.Ready;
  let nowMicros = 0;
  let terminated = false;
  const isPast = (millis = Number.POSITIVE_INFINITY) => nowMicros >= millis * 1000;
  vi.spyOn(page, 'waitWhile').mockImplementation(() => {
    nowMicros += sliceMillis * 1000;
    if (isPast(letGoMillis)) words[ControlWord.AgentState] = AgentState.LetGo;
    if (isPast(closedMillis)) words[ControlWord.AgentState] = AgentState.Closed;
  });
  const leaving = new ExitHandshake(
    page,
    () => {
      terminated = true;
    },
    () => nowMicros,
    (exitCode) => (exitCode === 0 ? 0 : moreMillis),
    () => {},
    () => figures(nowMicros),
  );
  leaving.arm();
  const [onExit] = process.listeners('exit').slice(-1);
  leaving.disarm();
  onExit!(exitCode);
  return { millis: nowMicros / 1000, terminated };
}

describe('a leaving program', () => {
  it('goes as soon as the agent thread has closed', () => {
    expect(leaves(1, { letGoMillis: 3, closedMillis: 5 })).toEqual({ millis: 6, terminated: false });
  });

  it('gives up an agent thread that hangs after 350 ms', () => {
    expect(leaves(1, {})).toEqual({ millis: 350, terminated: true });
    expect(leaves(1, { letGoMillis: 3 })).toEqual({ millis: 350, terminated: true });
  });

  it('waits longer to be let go of where its own slices come late, because the machine is short of cores', () => {
    expect(leaves(6, { letGoMillis: 1500 })).toEqual({ millis: 1506, terminated: true });
    expect(leaves(6, { closedMillis: 1500 })).toEqual({ millis: 1506, terminated: false });
  });

  it('waits longer, too, where the agent thread is the one that gets no core', () => {
    const figures = (nowMicros: number) => ({ cpuMicros: nowMicros / 10, waitedMicros: 0, isReady: true });
    expect(leaves(1, { letGoMillis: 900, figures })).toEqual({ millis: 901, terminated: true });
    expect(leaves(1, { figures })).toEqual({ millis: 2000, terminated: true });
  });

  it('has no more patience than two seconds', () => {
    expect(leaves(20, {})).toEqual({ millis: 2000, terminated: true });
  });

  it('does not wait longer for what is only sent', () => {
    expect(leaves(10, { letGoMillis: 100, closedMillis: 400 })).toEqual({ millis: 350, terminated: true });
  });

  it('waits longer for the record of a failure, where it leaves one', () => {
    expect(leaves(1, { letGoMillis: 3 }, 1, 500).millis).toBe(850);
    expect(leaves(1, { letGoMillis: 3 }, 0, 500).millis).toBe(350);
    expect(leaves(1, {}, 1, 500).millis).toBe(350);
    // However long main waited before: what is to be written has its time from then on.
    expect(leaves(6, { letGoMillis: 1500 }, 1, 500).millis).toBe(2010);
  });
});
