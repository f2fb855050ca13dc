/**
 * Whether our histogram tells what happened: every permille of four seeded sets of values against the sorted values
 * themselves, beside hdr-histogram-js at three digits. Counts must be the same; ours must be within its bound of the exact
 * value, HdrHistogram within its own.
 */
import assert from 'node:assert';
import { loadOurs } from '../harness/bundle.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { seededRandom } from '../harness/random.mjs';
import { peerOf, resultRow } from '../harness/result.mjs';

const VALUES = 200_000;
/** Half a bucket at scale 7, in percent; and of three significant digits. */
const OURS_PERCENT = 0.28;
const HDR_PERCENT = 0.1;
const HIGHEST = 2 ** 40;

const SHAPES = {
  uniform: (random) => 1 + random() * 1e6,
  latencies: (random) =>
    Math.exp(6 + 2.2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(6.283185 * random())),
  'two humps': (random) => (random() < 0.9 ? 100 + random() * 50 : 2e6 + random() * 1e5),
  'all magnitudes': (random) => 2 ** (random() * 39),
};

export function measure() {
  return Object.entries(SHAPES).map(([shape, draw], index) => {
    const random = seededRandom(index + 1);
    const values = Float64Array.from({ length: VALUES }, () =>
      Math.min(HIGHEST, Math.max(1, Math.round(draw(random)))),
    ).sort();
    const points = Array.from({ length: 1001 }, (_, point) => point / 1000);
    const exact = points.map((q) => values[Math.max(0, Math.ceil(q * VALUES) - 1)]);
    const own = worstPercent(ourQuantiles(values, points), exact);
    const hdr = worstPercent(hdrQuantiles(values, points), exact);
    assert.ok(own <= OURS_PERCENT, `${shape}: ours is ${own} % off`);
    assert.ok(hdr <= HDR_PERCENT, `${shape}: hdr-histogram-js is ${hdr} % off`);
    return resultRow({
      work: `quantiles, furthest from exact, ${shape}`,
      unit: '%',
      ours: [own, own, own],
      peer: peerOf('hdr-histogram-js', 'hdr-histogram-js', hdr),
      goal: `≤ ${OURS_PERCENT} %`,
      met: own <= OURS_PERCENT,
      note: `${VALUES} values, 1001 quantiles; hdr-histogram-js at three digits`,
    });
  });
}

function ourQuantiles(values, points) {
  const histogram = loadOurs().createTables().histogram();
  assert.equal(histogram.recordAll(values), values.length);
  const buckets = histogram.buckets().reduce((sum, { count }) => sum + count, 0);
  assert.equal(buckets + histogram.zeroCount, values.length);
  return histogram.quantiles(points);
}

function hdrQuantiles(values, points) {
  const { build } = requirePeer('hdr-histogram-js');
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST * 2,
    numberOfSignificantValueDigits: 3,
  });
  for (const value of values) histogram.recordValue(value);
  assert.equal(histogram.totalCount, values.length);
  return points.map((q) => histogram.getValueAtPercentile(q * 100));
}

function worstPercent(told, exact) {
  return Math.max(...told.map((value, index) => (100 * Math.abs(value - exact[index])) / exact[index]));
}
