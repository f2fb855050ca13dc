import { describe, expect, it } from 'vitest';
import { LabelTrack } from '../../../agent/aggregator/label-track';
import type { TickWindow } from '../../../agent/aggregator/profile-reader';
import { LabelBits, SampleState } from '../../../assembly/layout';

const window = (threadId: number, ticks: [atMicros: number, state?: number][]) =>
  ({
    threadId,
    atMicros: ticks.map(([at]) => at),
    state: ticks.map(([, state = SampleState.Js]) => state),
  }) as unknown as TickWindow;

describe('the labels of ticks', () => {
  it('are those of the last switch before them, in their own thread', () => {
    const track = new LabelTrack();
    track.define(0, 64, 'tenant=a');
    track.define(0, 128, 'tenant=b');
    track.define(7, 64, 'tenant=worker');
    track.switched(0, 100, 64);
    track.switched(0, 200, 128);
    track.switched(0, 300, 0);
    track.switched(7, 100, 64);
    expect(track.of(window(0, [[50], [100], [199], [200], [299], [301]]))).toEqual([
      '',
      'tenant=a',
      'tenant=a',
      'tenant=b',
      'tenant=b',
      '',
    ]);
    expect(track.of(window(7, [[150]]))).toEqual(['tenant=worker']);
    expect(track.of(window(8, [[150]]))).toBeNull();
  });

  it('are none outside of JavaScript, and those of a request once its route is known', () => {
    const track = new LabelTrack();
    track.switched(0, 100, LabelBits.Request + 5);
    expect(track.of(window(0, [[150]]))).toEqual(['']);
    track.requestEnded(0, 5, 'http.route=/a');
    const ticks = window(0, [
      [150],
      [160, SampleState.Idle],
      [170, SampleState.Gc],
      [180, SampleState.Program],
    ]);
    expect(track.of(ticks)).toEqual(['http.route=/a', '', 'http.route=/a', '']);
  });

  it('are kept for so many switches only', () => {
    const track = new LabelTrack();
    track.define(0, 64, 'x=1');
    for (let at = 0; at < 200_000; at++) track.switched(0, at, 64);
    expect(track.of(window(0, [[199_999]]))).toEqual(['x=1']);
    expect(track.of(window(0, [[10]]))).toEqual(['']);
  });
});
