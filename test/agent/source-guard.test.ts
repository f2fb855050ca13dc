import { describe, expect, it } from 'vitest';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';

const MINUTE_MICROS = 60e6;

function guarded() {
  const control = new ControlPage();
  const clock = { micros: 1e9 };
  const guard = new SourceGuard('test', control, () => clock.micros);
  let closed = 0;
  guard.opened(() => closed++);
  return { control, clock, guard, closed: () => closed };
}

describe('SourceGuard', () => {
  it('swallows and counts what a callback throws', () => {
    const { control, guard } = guarded();
    const callback = guard.wrap(() => {
      throw new Error('bug');
    });
    expect(callback).not.toThrow();
    expect(control.hostFaults).toBe(1);
    expect(guard.open).toBe(true);
  });

  it('switches the source off at the third fault in ten minutes, not at three in an hour', () => {
    const { clock, guard, closed } = guarded();
    for (const minutes of [0, 6, 6, 6]) {
      clock.micros += minutes * MINUTE_MICROS;
      guard.fault('odd');
    }
    expect(guard.open).toBe(true);
    guard.fault(null);
    expect(guard.open).toBe(false);
    guard.fault(undefined);
    expect(closed()).toBe(1);
  });

  it('survives a close that throws', () => {
    const { control, guard } = guarded();
    guard.opened(() => {
      throw new Error('close');
    });
    expect(() => guard.close()).not.toThrow();
    expect(control.hostFaults).toBe(1);
  });

  it('accounts for timed calls only, times the calls they stand for', () => {
    const { control, clock, guard } = guarded();
    const callback = guard.wrap(() => {
      clock.micros += 10;
    }, 4);
    for (let call = 0; call < 8; call++) callback();
    expect(control.selfMicros).toBe(2 * 10 * 4);
  });
});
