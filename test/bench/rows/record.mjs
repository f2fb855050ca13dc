/**
 * Recording one timing from JavaScript: whole microseconds, log-normal, generated beforehand; ours also with fractions.
 * Each contender has its own loop over the same values. The floors are a call into WebAssembly that does nothing (newer
 * V8 puts it into the loop) and one addition in shared memory.
 */
import assert from 'node:assert';
import { createHistogram } from 'node:perf_hooks';
import { loadOurs } from '../harness/bundle.mjs';
import { emptyF64 } from '../harness/empty-wasm.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { latenciesMicros } from '../harness/random.mjs';
import { comparisonRows } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';

const COUNT = 1 << 16;
const MASK = COUNT - 1;
const HISTOGRAM = 1;
const values = latenciesMicros(COUNT);
const integers = Int32Array.from(values);
const fractions = values.map((value) => value + 1 / 3);

export async function measure() {
  const core = openCore(loadOurs());
  const own = [oursWhole(core), oursFraction(core), emptyCall(), addition()];
  const theirs = [nodeHistogram(), await hdrWasm(), hdrJs(), sketches(), promClient(), await openTelemetry()];
  const contenders = [...own, ...theirs];
  const results = await alternate(contenders);
  const peers = [
    { name: 'createHistogram', pkg: '' },
    { name: 'hdr-histogram-js WASM', pkg: 'hdr-histogram-js' },
    { name: 'hdr-histogram-js JS', pkg: 'hdr-histogram-js' },
    { name: 'sketches-js', pkg: '@datadog/sketches-js' },
    { name: 'prom-client', pkg: 'prom-client' },
    { name: 'sdk-metrics', pkg: '@opentelemetry/sdk-metrics' },
  ];
  const floors = ['empty WASM call', 'addition'];
  return [
    ...comparisonRows({ work: 'record a timing', results, ours: 'ours, whole', peers, floors, bestGoal: 3 }),
    ...comparisonRows({ work: 'with fractions', results, ours: 'ours, fraction', peers, floors }).slice(0, 1),
  ];
}

/** The writer of a core, as a process has it: one memory, one instance. */
function openCore(ours) {
  const memory = ours.createCoreMemory();
  return { writer: ours.attachWriter(memory, 0), reader: ours.attachReader(memory) };
}

/** A histogram of its own, and what it gained since the last look. */
function openSeries({ writer, reader }, name) {
  const series = writer.series(HISTOGRAM, name, 'us', []);
  const info = reader.takeNewSeries().find((entry) => entry.name === name);
  return { series, delta: () => reader.histogramDelta(info) };
}

/** Records all values once and asks what came out. */
function checkCounts(record, list, delta) {
  for (let index = 0; index < COUNT; index++) record(index);
  const { count, sum } = delta();
  assert.equal(count, COUNT);
  assert.equal(
    sum,
    list.reduce((total, value) => total + value, 0),
  );
}

function oursWhole(core) {
  const { writer } = core;
  const { series, delta } = openSeries(core, 'whole');
  return {
    name: 'ours, whole',
    check: () => checkCounts((index) => writer.recordInt(series, integers[index]), values, delta),
    run(count) {
      for (let index = 0; index < count; index++) writer.recordInt(series, integers[index & MASK]);
    },
  };
}

function oursFraction(core) {
  const { writer } = core;
  const { series, delta } = openSeries(core, 'fraction');
  return {
    name: 'ours, fraction',
    check: () => checkCounts((index) => writer.record(series, fractions[index]), fractions, delta),
    run(count) {
      for (let index = 0; index < count; index++) writer.record(series, fractions[index & MASK]);
    },
  };
}

function addition() {
  const words = new Int32Array(new SharedArrayBuffer(COUNT * 4));
  return {
    name: 'addition',
    run(count) {
      for (let index = 0; index < count; index++) words[integers[index & MASK] & MASK]++;
    },
  };
}

function emptyCall() {
  return {
    name: 'empty WASM call',
    run(count) {
      for (let index = 0; index < count; index++) emptyF64(8, values[index & MASK]);
    },
  };
}

function nodeHistogram() {
  const histogram = createHistogram();
  return {
    name: 'createHistogram',
    check() {
      for (const value of integers) histogram.record(value);
      assert.equal(histogram.count, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) histogram.record(integers[index & MASK]);
    },
  };
}

async function hdrWasm() {
  const hdr = requirePeer('hdr-histogram-js');
  await hdr.initWebAssembly();
  const histogram = hdr.build({ useWebAssembly: true });
  return {
    name: 'hdr-histogram-js WASM',
    check() {
      for (const value of integers) histogram.recordValue(value);
      assert.equal(histogram.totalCount, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) histogram.recordValue(integers[index & MASK]);
    },
  };
}

function hdrJs() {
  const histogram = requirePeer('hdr-histogram-js').build({ useWebAssembly: false });
  return {
    name: 'hdr-histogram-js JS',
    check() {
      for (const value of integers) histogram.recordValue(value);
      assert.equal(histogram.totalCount, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) histogram.recordValue(integers[index & MASK]);
    },
  };
}

function sketches() {
  const { DDSketch } = requirePeer('@datadog/sketches-js');
  const sketch = new DDSketch({ relativeAccuracy: 0.004 });
  return {
    name: 'sketches-js',
    check() {
      for (const value of values) sketch.accept(value);
      assert.equal(sketch.count, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) sketch.accept(values[index & MASK]);
    },
  };
}

function promClient() {
  const { Histogram, Registry } = requirePeer('prom-client');
  const histogram = new Histogram({
    name: 'bench',
    help: 'bench',
    registers: [new Registry()],
    buckets: [100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000],
  });
  return {
    name: 'prom-client',
    async check() {
      for (const value of values) histogram.observe(value);
      const { values: told } = await histogram.get();
      assert.equal(told.find(({ metricName }) => metricName === 'bench_count').value, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) histogram.observe(values[index & MASK]);
    },
  };
}

async function openTelemetry() {
  const { AggregationType, MeterProvider, MetricReader } = requirePeer('@opentelemetry/sdk-metrics');
  class PullReader extends MetricReader {
    async onShutdown() {}
    async onForceFlush() {}
  }
  const reader = new PullReader();
  const view = { instrumentName: 'bench', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } };
  const provider = new MeterProvider({ readers: [reader], views: [view] });
  const histogram = provider.getMeter('bench').createHistogram('bench');
  return {
    name: 'sdk-metrics',
    async check() {
      for (const value of values) histogram.record(value);
      const { resourceMetrics } = await reader.collect();
      assert.equal(resourceMetrics.scopeMetrics[0].metrics[0].dataPoints[0].value.count, COUNT);
    },
    run(count) {
      for (let index = 0; index < count; index++) histogram.record(values[index & MASK]);
    },
  };
}
