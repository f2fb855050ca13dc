import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const bytes = readFileSync(join(__dirname, '../../build/agent/core.wasm'));
const text = readFileSync(join(__dirname, '../../build/core.wat'), 'utf8');

/** Ids of the module's sections, in order. */
function sectionIds(): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
  return ids;
}

describe('core.wasm', () => {
  const START = 8;
  const GLOBAL = 6;
  const DATA_COUNT = 12;
  const DATA = 11;

  it('has no data section, which a second instance would write over live memory', () => {
    expect(sectionIds()).not.toContain(DATA);
    expect(sectionIds()).not.toContain(DATA_COUNT);
  });

  it('has no start function and no globals', () => {
    expect(sectionIds()).not.toContain(START);
    expect(sectionIds()).not.toContain(GLOBAL);
  });

  it('imports only its memory', () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([
      { module: 'env', name: 'memory', kind: 'memory' },
    ]);
  });

  it('never grows memory, waits or fences', () => {
    expect(text).toContain('i32.atomic.store');
    expect(text).not.toMatch(/memory\.grow|atomic\.wait|atomic\.notify|atomic\.fence/);
  });

  it('adds histograms two counts at a time', () => {
    expect(text).toContain('f64x2.add');
  });
});
