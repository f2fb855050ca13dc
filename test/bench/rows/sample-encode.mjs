/** Encoding 1,000 samples of a recorded service: our columns, msgpackr of the same rows, JSON of them. */
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../harness/folders.mjs';
import { peerVersion } from '../harness/peers.mjs';
import { readWindows, recordedProfiles } from '../harness/recorded.mjs';
import { comparisonRows, resultRow } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';

const SAMPLES = 1000;
const PERIOD_MICROS = 10_101;
const requireRoot = createRequire(join(ROOT, 'package.json'));

export async function measure() {
  const { windows, tables } = readWindows(recordedProfiles('service'));
  const at = Float64Array.from(windows.flatMap(({ atMicros }) => [...atMicros]).slice(0, SAMPLES));
  const stack = Uint32Array.from(windows.flatMap(({ stack }) => [...stack]).slice(0, SAMPLES));
  const state = Uint8Array.from(windows.flatMap(({ state }) => [...state]).slice(0, SAMPLES));
  assert.equal(at.length, SAMPLES);
  const rows = Array.from(at, (micros, index) => [micros, stack[index], state[index], 0]);
  const { Packr } = requireRoot('msgpackr/index-no-eval');
  const packr = new Packr({ useRecords: false, structuredClone: false });
  const results = await alternate([
    oursColumns(tables, at, stack, state),
    {
      name: 'msgpackr',
      run(count) {
        for (let index = 0; index < count; index++) packr.pack(rows);
      },
    },
    {
      name: 'JSON.stringify',
      run(count) {
        for (let index = 0; index < count; index++) JSON.stringify(rows);
      },
    },
  ]);
  const peers = [
    { name: 'msgpackr', goal: 10 },
    { name: 'JSON.stringify', goal: 30 },
  ];
  const version = peerVersion('msgpackr', ROOT);
  return comparisonRows({
    work: `encode ${SAMPLES} samples`,
    unit: 'ns',
    results,
    ours: 'ours',
    peers: peers.map((peer) => ({ ...peer, pkg: '' })),
  }).map((row) =>
    row.peer.name === 'msgpackr' ? resultRow({ ...row, peer: { ...row.peer, version } }) : row,
  );
}

function oursColumns(tables, at, stack, state) {
  const start = at[0] - PERIOD_MICROS;
  const encode = () => tables.encodeColumns(start, { atMicros: at, stack, state });
  return {
    name: 'ours',
    check() {
      const decoded = tables.decodeColumns(encode(), SAMPLES, start);
      assert.deepEqual([...decoded.stack], [...stack]);
      assert.deepEqual([...decoded.state], [...state]);
      decoded.atMicros.forEach((micros, index) => {
        assert.ok(Math.abs(micros - at[index]) <= 1, `sample ${index} at ${micros}, not ${at[index]}`);
      });
    },
    run(count) {
      for (let index = 0; index < count; index++) encode();
    },
  };
}
