/**
 * Bytes of a timed stack sample on the wire, over three recorded workloads: our messages as they leave, the dictionary
 * in them, uncompressed, against the same ticks as gzip pprof with timestamps, gzip OTLP profiles and V8's gzip JSON.
 * The peers send a profile a window, each with its own tables, because that is how they are sent.
 */
import assert from 'node:assert';
import { gzipSync } from 'node:zlib';
import { encodeBatches, recordedProfiles, WORKLOAD_NAMES } from '../harness/recorded.mjs';
import { peerOf, resultRow } from '../harness/result.mjs';
import { otlpBytesOf, pprofOf, ticksOf } from '../harness/timed-pprof.mjs';

const RAW_MOST = 4;
const BEST_GOAL = 2;

export async function measure() {
  return WORKLOAD_NAMES.flatMap((name) => workloadRows(name, recordedProfiles(name)));
}

function workloadRows(name, profiles) {
  const batches = encodeBatches(profiles);
  const samples = total(batches, 'samples');
  const theirs = profiles.reduce((sum, profile) => sum + ticksOf(profile).ticks.length, 0);
  assert.ok(
    Math.abs(theirs / samples - 1) < 0.02,
    `${name}: ${samples} samples of ours, ${theirs} of theirs`,
  );
  const columns = total(batches, 'columnBytes') / samples;
  const whole = batches.reduce((sum, { bytes }) => sum + bytes.length, 0) / samples;
  const zipped = (encode) =>
    profiles.reduce((sum, profile) => sum + gzipSync(encode(profile)).length, 0) / theirs;
  const peers = [
    peerOf(
      'gzip pprof, timed',
      'pprof-format',
      zipped((profile) => pprofOf(profile).encode()),
    ),
    { ...peerOf('gzip OTLP profiles', '', zipped(otlpBytesOf)), version: 'v1development' },
    peerOf(
      'gzip V8 JSON',
      '',
      zipped((profile) => JSON.stringify(profile)),
    ),
  ].sort((a, b) => a.value - b.value);
  const work = `bytes a sample, ${name}`;
  const exact = (value) => [value, value, value];
  const rows = [
    resultRow({
      work: `${work}, columns alone`,
      unit: 'B',
      ours: exact(columns),
      goal: `≤ ${RAW_MOST} B`,
      met: columns <= RAW_MOST,
      note: `${samples} samples in ${profiles.length} windows`,
    }),
  ];
  peers.forEach((peer, place) => {
    const ratio = peer.value / whole;
    const best = place === 0;
    rows.push(
      resultRow({
        work,
        unit: 'B',
        ours: exact(whole),
        peer,
        ratio: exact(ratio),
        goal: best ? `≥ ${BEST_GOAL}× the best` : '',
        met: best ? ratio >= BEST_GOAL : null,
      }),
    );
  });
  return rows;
}

function total(batches, key) {
  return batches.reduce((sum, batch) => sum + batch[key], 0);
}
