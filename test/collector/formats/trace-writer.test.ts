import { describe, expect, it } from 'vitest';
import { TraceWriter } from '../../../collector/profile/trace-writer';

const MAIN = { pid: 7, tid: 1 };

/** The events that calls leave, and how many pieces they came in. */
function written(calls: (trace: TraceWriter) => void): { events: Record<string, unknown>[]; pieces: number } {
  const pieces: string[] = [];
  const trace = new TraceWriter((text) => pieces.push(text));
  calls(trace);
  trace.end({ service: 'shop' });
  trace.end();
  const { traceEvents, otherData } = JSON.parse(pieces.join(''));
  expect(otherData).toEqual({ service: 'shop' });
  return { events: traceEvents, pieces: pieces.length };
}

describe('the trace writer', () => {
  it('writes one piece an event, and a whole file also without any', () => {
    expect(written(() => {})).toEqual({ events: [], pieces: 2 });
    const { events, pieces } = written((trace) => {
      for (let at = 0; at < 5; at++) trace.instant(MAIN, 'tick', at);
    });
    expect([events.length, pieces]).toEqual([5, 7]);
  });

  it('tells tracks, slices, instants and counters as viewers know them', () => {
    const { events } = written((trace) => {
      trace.processName(7, 'shop "a"\n');
      trace.threadName(MAIN, 'main', 2);
      trace.slice(MAIN, 'turn', 10.0004, 12.5, { stalled: true });
      trace.slice(MAIN, 'clock set back', 10, 9);
      trace.instant(MAIN, 'gc', 11);
      trace.counter(7, 'heap', 12, { used: 5, limit: 9 });
    });
    expect(events).toEqual([
      { ph: 'M', name: 'process_name', pid: 7, tid: 0, args: { name: 'shop "a"\n' } },
      { ph: 'M', name: 'thread_name', ...MAIN, args: { name: 'main' } },
      { ph: 'M', name: 'thread_sort_index', ...MAIN, args: { sort_index: 2 } },
      { ph: 'X', name: 'turn', ...MAIN, ts: 10, dur: 2.5, args: { stalled: true } },
      { ph: 'X', name: 'clock set back', ...MAIN, ts: 10, dur: 0 },
      { ph: 'i', s: 't', name: 'gc', ...MAIN, ts: 11 },
      { ph: 'C', name: 'heap', pid: 7, tid: 0, ts: 12, args: { used: 5, limit: 9 } },
    ]);
  });

  it('keeps slices that touch touching in viewers that cut off nanoseconds, wherever they lie', () => {
    const nanos = (micros: unknown) => Math.trunc((micros as number) * 1000);
    for (let at = 788818820.831; at < 788818830; at += 0.0317) {
      const { events } = written((trace) => {
        trace.slice(MAIN, 'first', at, at + 1.0017);
        trace.slice(MAIN, 'second', at + 1.0017, at + 2.01);
      });
      const [first, second] = events;
      expect(nanos(first!.ts) + nanos(first!.dur)).toBe(nanos(second!.ts));
    }
  });

  it('leaves no half of a surrogate pair', () => {
    const { events } = written((trace) =>
      trace.instant(MAIN, '\ud83d \\ud83d 😀', 1, { url: 'a\udc00\ud800' }),
    );
    expect(events[0]).toMatchObject({ name: '\ufffd \\ud83d 😀', args: { url: 'a\ufffd\ufffd' } });
    const { events: whole } = written((trace) => trace.instant(MAIN, '\\\ud83d', 1));
    expect(whole[0]!.name).toBe('\\\ufffd');
  });

  it('opens and closes spans that overlap by their ids', () => {
    const { events } = written((trace) => {
      trace.spanBegins(MAIN, 255, 'GET /', 1, { status: 200 });
      trace.spanBegins(MAIN, 256, 'GET /b', 2);
      trace.spanEnds(MAIN, 256, 'GET /b', 5);
      trace.spanEnds(MAIN, 255, 'GET /', 11);
    });
    expect(events.map(({ ph, id, ts }) => [ph, id, ts])).toEqual([
      ['b', '0xff', 1],
      ['b', '0x100', 2],
      ['e', '0x100', 5],
      ['e', '0xff', 11],
    ]);
  });

  it('gives samples by chunks, nodes before what names them, roots without a parent', () => {
    const { events } = written((trace) => {
      trace.startCpuProfile(MAIN, 1, 100.7);
      const main = { id: 1, parent: 0, name: 'main', url: '/srv/app.js', line: 3 };
      trace.cpuProfileChunk(
        MAIN,
        1,
        110,
        [main, { ...main, id: 2, parent: 1, name: 'a', line: 0 }],
        [2, 1],
        [5, 5],
      );
    });
    const [profile, root, chunk] = events as {
      ph: string;
      id: string;
      args: { data: Record<string, unknown> };
    }[];
    expect([profile!.ph, profile!.id, profile!.args.data]).toEqual(['P', '0x1', { startTime: 100 }]);
    expect(root!.args.data).toMatchObject({ cpuProfile: { nodes: [{ id: 2 ** 31 - 1 }], samples: [] } });
    const frame = { codeType: 'JS', scriptId: 0, url: '/srv/app.js', columnNumber: -1 };
    expect(chunk!.args.data).toEqual({
      cpuProfile: {
        nodes: [
          { id: 1, callFrame: { ...frame, functionName: 'main', lineNumber: 2 } },
          { id: 2, parent: 1, callFrame: { ...frame, functionName: 'a', lineNumber: -1 } },
        ],
        samples: [2, 1],
      },
      timeDeltas: [5, 5],
    });
  });

  it('takes nothing after its end', () => {
    const trace = new TraceWriter(() => {});
    trace.end();
    expect(() => trace.instant(MAIN, 'late', 1)).toThrow('the trace has ended: events come before end()');
  });
});
