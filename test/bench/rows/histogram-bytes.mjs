/**
 * Bytes of 10,000 latencies on the wire: ours as a series' value in a message, HdrHistogram's as its V2 encoding, deflated,
 * OTLP's as its protobuf at our scale.
 *
 * HdrHistogram has no setting with our error: half a bucket is 0.27 % of the value at most with us, 0.39 % at two digits,
 * 0.05 % at three. What it would take at ours lies between the two; half the error is taken to cost the same factor
 * everywhere between them. The floor is the entropy of the counts for somebody who knows the distribution (from a million
 * other values): no code without that knowledge takes less.
 */
import assert from 'node:assert';
import { loadOurs } from '../harness/bundle.mjs';
import { buildHdr } from '../harness/hdr.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { packedSize, varintSize } from '../harness/protobuf.mjs';
import { latenciesMicros } from '../harness/random.mjs';
import { peerOf, resultRow } from '../harness/result.mjs';

const VALUES = 10_000;
const SEED = 21;
const KNOWN_VALUES = 1_000_000;
const OURS_ERROR = 2 ** (1 / 256) - 1;
/** By digits: half of one of 128 or 1024 parts, the width of a bucket at the start of its octave. */
const HDR_ERROR = { 2: 1 / 256, 3: 1 / 2048 };

export function measure() {
  const values = latenciesMicros(VALUES, SEED);
  const { createTables, encodeMessage } = loadOurs();
  const own = createTables().histogram();
  assert.equal(own.recordAll(values), VALUES);
  const { count, sum, min, max, buckets } = own.encode();
  const back = createTables().histogram();
  back.addDelta({ count, sum, min, max, buckets });
  assert.deepEqual(back.buckets(), own.buckets());
  const bytes = encodeMessage([1, count, sum, min, max, buckets]).length;
  const floor = { name: 'distribution known', value: bytes - buckets.length + entropyBytes(own.buckets()) };
  const [two, three] = [hdrBytes(values, 2), hdrBytes(values, 3)];
  const row = (peer, goal = 0, note = '') => {
    const ratio = peer.value / bytes;
    return resultRow({
      work: `histogram of ${VALUES} values on the wire`,
      unit: 'B',
      ours: [bytes, bytes, bytes],
      peer,
      ratio: [ratio, ratio, ratio],
      floors: [floor],
      goal: goal > 0 ? `≥ ${goal}×` : '',
      met: goal > 0 ? ratio >= goal : null,
      note,
    });
  };
  const hdr = (name, value) => peerOf(`HDR V2 deflated, ${name}`, 'hdr-histogram-js', value);
  return [
    row(hdr('2 digits, 1.4 times our error', two)),
    row(
      hdr('at our error, interpolated', atOurError(two, three)),
      2,
      'HDR has no setting between 2 digits (0.39 %) and 3 (0.05 %), ours is off by 0.27 % at most',
    ),
    row(hdr('3 digits, a fifth of our error', three)),
    row({ ...peerOf('OTLP exponential', '', otlpExponentialBytes(own.buckets())), version: 'proto' }, 1.25),
  ];
}

function hdrBytes(values, digits) {
  const hdr = requirePeer('hdr-histogram-js');
  const histogram = buildHdr(hdr, false, digits);
  for (const value of values) histogram.recordValue(value);
  assert.equal(histogram.totalCount, values.length);
  return Buffer.from(hdr.encodeIntoCompressedBase64(histogram), 'base64').length;
}

/** Between bytes at two digits and at three, both and the errors as logarithms. */
function atOurError(two, three) {
  const share = Math.log(HDR_ERROR[2] / OURS_ERROR) / Math.log(HDR_ERROR[2] / HDR_ERROR[3]);
  return two * (three / two) ** share;
}

/** Bits of each bucket's count, Poisson with what KNOWN_VALUES others of the same kind let expect, as bytes. */
function entropyBytes(buckets) {
  const known = loadOurs().createTables().histogram();
  known.recordAll(latenciesMicros(KNOWN_VALUES, SEED + 1));
  const expected = new Map(known.buckets().map(({ index, count }) => [index, count]));
  const counts = new Map(buckets.map(({ index, count }) => [index, count]));
  let bits = 0;
  for (let index = buckets[0].index; index <= buckets.at(-1).index; index++) {
    const mean = (expected.get(index) ?? 1) * (VALUES / KNOWN_VALUES);
    const count = counts.get(index) ?? 0;
    bits += mean * Math.LOG2E - count * Math.log2(mean);
    for (let factor = 2; factor <= count; factor++) bits += Math.log2(factor);
  }
  return bits / 8;
}

/** ExponentialHistogramDataPoint with count, sum, scale, zero_count, min, max and dense positive buckets. */
function otlpExponentialBytes(buckets) {
  const first = buckets[0].index;
  const dense = new Array(buckets[buckets.length - 1].index - first + 1).fill(0);
  for (const { index, count } of buckets) dense[index - first] = count;
  const positive = 1 + varintSize(Math.abs(first) * 2) + packedSize(dense);
  return 6 * 9 + 2 + 1 + varintSize(positive) + positive;
}
