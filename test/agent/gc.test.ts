import { describe, expect, it } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';
import { openGc } from '../../agent/sources/gc';
import { RecordKind } from '../../assembly/layout';
import { RecordingWriter } from './recording-writer';

describe('the GC source', () => {
  it('tells every collection, also those that arrive in one batch', async () => {
    const writer = new RecordingWriter();
    const control = new ControlPage();
    const guard = new SourceGuard('gc', control, nowMicros);
    guard.opened(openGc({ writer, control, guard, nowMicros }));
    const beforeMicros = nowMicros();
    let kept: unknown[] = [];
    for (let round = 0; round < 3e6; round++) kept = [round, kept.length];
    await expect.poll(() => writer.pushed.length).toBeGreaterThan(2);
    guard.close();
    expect(writer.written).toHaveLength(writer.pushed.length);
    for (const { kind, a, startMicros, durationMicros } of writer.pushed) {
      expect(kind).toBe(RecordKind.Gc);
      expect([1, 2, 4, 8, 16]).toContain(a);
      expect(startMicros).toBeGreaterThan(beforeMicros - 1e6);
      expect(startMicros + durationMicros).toBeLessThan(nowMicros() + 1000);
    }
    expect(control.hostFaults).toBe(0);
  });
});
