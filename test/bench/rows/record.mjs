/**
 * Recording one timing from JavaScript: whole microseconds, log-normal, generated beforehand. Ours by the short path
 * for whole numbers and by the f64 path. Each contender has its own loop over the same values.
 */
import assert from 'node:assert';
import { createHistogram } from 'node:perf_hooks';
import { loadOurs, loadTwin } from '../harness/bundle.mjs';
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

export async function measure() {
  const core = openCore(loadOurs(), {});
  const twinCore = openCore(loadTwin(), { forceTwin: true });
  const own = [oursInt(core), oursF64(core), twin(twinCore), emptyCall()];
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
  const floors = ['empty WASM call', 'plain TS twin'];
  return [
    ...comparisonRows({ work: 'record a timing', results, ours: 'ours, i32', peers, floors, bestGoal: 3 }),
    ...comparisonRows({ work: 'record a timing, f64', results, ours: 'ours, f64', peers, floors }).slice(
      0,
      1,
    ),
  ];
}

/** The writer of a core, as a process has it: one memory, one instance. */
function openCore(ours, options) {
  const memory = ours.createCoreMemory(options);
  return { writer: ours.attachWriter(memory, 0), reader: ours.attachReader(memory) };
}

/** A histogram of its own, and what it gained since the last look. */
function openSeries({ writer, reader }, name) {
  const series = writer.series(HISTOGRAM, name, 'us', []);
  const info = reader.takeNewSeries().find((entry) => entry.name === name);
  return { series, delta: () => reader.histogramDelta(info) };
}

/** Records all values once and asks what came out. */
function checkCounts(record, delta) {
  for (let index = 0; index < COUNT; index++) record(index);
  const { count, sum } = delta();
  assert.equal(count, COUNT);
  assert.equal(
    sum,
    values.reduce((total, value) => total + value, 0),
  );
}

function oursInt(core) {
  const { writer } = core;
  const { series, delta } = openSeries(core, 'int');
  return {
    name: 'ours, i32',
    check: () => checkCounts((index) => writer.recordInt(series, integers[index]), delta),
    run(count) {
      for (let index = 0; index < count; index++) writer.recordInt(series, integers[index & MASK]);
    },
  };
}

function oursF64(core) {
  const { writer } = core;
  const { series, delta } = openSeries(core, 'f64');
  return {
    name: 'ours, f64',
    check: () => checkCounts((index) => writer.record(series, values[index]), delta),
    run(count) {
      for (let index = 0; index < count; index++) writer.record(series, values[index & MASK]);
    },
  };
}

function twin(core) {
  const { writer } = core;
  const { series, delta } = openSeries(core, 'twin');
  return {
    name: 'plain TS twin',
    check: () => checkCounts((index) => writer.recordInt(series, integers[index]), delta),
    run(count) {
      for (let index = 0; index < count; index++) writer.recordInt(series, integers[index & MASK]);
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
