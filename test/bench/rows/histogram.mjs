/**
 * Whole histograms: recording in bulk, merging two full ones, five quantiles at once.
 * Node's and HdrHistogram's are set to three and two significant digits, ours has a relative error of 0.28 %.
 */
import assert from 'node:assert';
import { createHistogram } from 'node:perf_hooks';
import { loadOurs } from '../harness/bundle.mjs';
import { buildHdr, HIGHEST } from '../harness/hdr.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { latenciesMicros, seededRandom } from '../harness/random.mjs';
import { boundRow, comparisonRows } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999];
const BULK = 1 << 16;
const HEAP_BYTES = 1 << 20;
const FULL_VALUES = 200_000;

const NODE = 'createHistogram';
const HDR_JS = 'hdr-histogram-js JS';
const HDR_WASM = 'hdr-histogram-js WASM';
const nodePeer = (goal) => ({ name: NODE, pkg: '', goal });
const hdrPeers = (goal) => [HDR_WASM, HDR_JS].map((name) => ({ name, pkg: 'hdr-histogram-js', goal }));

export async function measure() {
  const hdr = requirePeer('hdr-histogram-js');
  await hdr.initWebAssembly();
  const tables = loadOurs().createTables();
  const make = {
    ours: () => tables.histogram(),
    [NODE]: () => createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 }),
    [HDR_JS]: () => buildHdr(hdr, false),
    [HDR_WASM]: () => buildHdr(hdr, true),
  };
  return [...(await bulkRows(make)), ...(await mergeRows(make)), ...(await quantileRows(make))];
}

const countOf = (histogram) => histogram.totalCount ?? histogram.count;

function fill(histogram, values) {
  if (histogram.recordAll) histogram.recordAll(Float64Array.from(values));
  else for (const value of values) (histogram.recordValue ?? histogram.record).call(histogram, value);
  assert.equal(countOf(histogram), values.length);
  return histogram;
}

/** Values that touch every octave up to 2^40, so that merging meets full tables. */
function wideValues() {
  const random = seededRandom(3);
  return Array.from({ length: FULL_VALUES }, () => Math.ceil(2 ** (random() * 39.9)));
}

/**
 * Values in WebAssembly's memory, 32 bytes apart as the durations of a ring's records, recorded there; and the same from
 * a Float64Array, which is copied first. HdrHistogram's are recorded in a loop.
 */
async function bulkRows(make) {
  const values = latenciesMicros(BULK, 5);
  const inside = openInside(values);
  const own = fill(make.ours(), values);
  const hdr = fill(make[HDR_WASM](), values);
  const results = await alternate([
    {
      name: 'ours',
      check: () => assert.equal(inside.record(), BULK),
      run(count) {
        for (let index = 0; index < count; index++) inside.record();
      },
    },
    {
      name: 'ours, from an array',
      run(count) {
        for (let index = 0; index < count; index++) own.recordAll(values);
      },
    },
    {
      name: HDR_WASM,
      run(count) {
        for (let index = 0; index < count; index++)
          for (let at = 0; at < BULK; at++) hdr.recordValue(values[at]);
      },
    },
  ]);
  const scale = 1 / BULK;
  const work = 'record in bulk';
  const perValue = results.get('ours').map((nanos) => nanos * scale);
  const peers = hdrPeers(4);
  return [
    boundRow({ work, unit: 'ns', values: perValue, most: 2 }),
    ...comparisonRows({ work, results, ours: 'ours', peers, scale }),
    ...comparisonRows({ work: `${work}, array`, results, ours: 'ours, from an array', peers, scale }),
  ];
}

/** A merged histogram and values in a memory of their own. */
function openInside(values) {
  const { CoreRegion, createCoreMemory, TablesHeader } = loadOurs();
  const { memory, module, buffer } = createCoreMemory();
  const core = new WebAssembly.Instance(module, { env: { memory } }).exports;
  const heapEnd = CoreRegion.Arena + HEAP_BYTES;
  const words = new Uint32Array(buffer);
  words[TablesHeader.HeapCursor >> 2] = CoreRegion.Arena;
  words[TablesHeader.HeapEnd >> 2] = heapEnd;
  const cells = new Float64Array(buffer);
  for (let index = 0; index < values.length; index++) cells[(heapEnd + index * 32) >> 3] = values[index];
  const base = core.mergedCreate();
  return { record: () => core.mergedRecordMany(base, heapEnd, 32, values.length) };
}

async function mergeRows(make) {
  const values = wideValues();
  const pairs = Object.entries(make).map(([name, create]) => [name, create(), fill(create(), values)]);
  const contenders = pairs.map(([name, into, from]) => {
    const add = MERGES[name];
    return {
      name,
      check() {
        add(into, from);
        assert.equal(countOf(into), values.length);
      },
      run: (count) => add(into, from, count),
    };
  });
  const results = await alternate(contenders);
  const peers = [nodePeer(5), ...hdrPeers(20)];
  return comparisonRows({ work: 'merge two histograms', unit: 'ns', results, ours: 'ours', peers });
}

/** So many merges go into one histogram before it begins anew: billions of values in one are another case. */
const MERGES_EACH = 4096;

/** A loop of its own for each, so that no call site meets two kinds of histogram. */
const MERGES = {
  ours(into, from, count = 1) {
    for (let index = 0; index < count; index++) {
      if (index % MERGES_EACH === 0) into.clear();
      into.merge(from);
    }
  },
  [NODE](into, from, count = 1) {
    for (let index = 0; index < count; index++) {
      if (index % MERGES_EACH === 0) into.reset();
      into.add(from);
    }
  },
  [HDR_JS](into, from, count = 1) {
    for (let index = 0; index < count; index++) {
      if (index % MERGES_EACH === 0) into.reset();
      into.add(from);
    }
  },
  [HDR_WASM](into, from, count = 1) {
    for (let index = 0; index < count; index++) {
      if (index % MERGES_EACH === 0) into.reset();
      into.add(from);
    }
  },
};

async function quantileRows(make) {
  const values = latenciesMicros(FULL_VALUES, 9);
  const sorted = Float64Array.from(values).sort();
  const read = {
    ours: (histogram) => histogram.quantiles(QUANTILES),
    [NODE]: (histogram) => QUANTILES.map((q) => histogram.percentile(q * 100)),
    [HDR_JS]: (histogram) => QUANTILES.map((q) => histogram.getValueAtPercentile(q * 100)),
    [HDR_WASM]: (histogram) => QUANTILES.map((q) => histogram.getValueAtPercentile(q * 100)),
  };
  const contenders = Object.entries(make).map(([name, create]) => {
    const histogram = fill(create(), values);
    const quantiles = read[name];
    return {
      name,
      check() {
        quantiles(histogram).forEach((value, index) => {
          const exact = sorted[Math.ceil(QUANTILES[index] * FULL_VALUES) - 1];
          assert.ok(
            Math.abs(value / exact - 1) < 0.012,
            `${name} at ${QUANTILES[index]}: ${value}, not ${exact}`,
          );
        });
      },
      run(count) {
        for (let index = 0; index < count; index++) quantiles(histogram);
      },
    };
  });
  const results = await alternate(contenders);
  const peers = [nodePeer(2), ...hdrPeers(10)];
  return comparisonRows({ work: 'five quantiles', unit: 'ns', results, ours: 'ours', peers });
}
