/** Timing a span from JavaScript: our timer's start and stop, beside two bare clock reads. */
import assert from 'node:assert';
import { createHistogram, performance } from 'node:perf_hooks';
import { loadOurs } from '../harness/bundle.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { comparisonRows, resultRow } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';
import { interval, median, ratioInterval } from '../harness/statistics.mjs';

const CLOCK = 'two clock reads';
const TIMERIFY = 'timerify';
const OTEL = 'OpenTelemetry span';
const CHECKED = 1000;
const MOST_OF_CLOCK = 1.25;

export async function measure() {
  const results = await alternate([oursTimer(), clockReads(), timerified(), otelSpan()]);
  const peers = [
    { name: TIMERIFY, pkg: '', goal: 1.5 },
    { name: OTEL, pkg: '@opentelemetry/sdk-trace-base', goal: 20 },
  ];
  const work = 'time a span';
  const overClock = ratioInterval(results.get(CLOCK), results.get('ours'));
  return [
    resultRow({
      work: `${work}, of ${CLOCK}`,
      unit: '×',
      ours: overClock,
      floors: [{ name: `${CLOCK} ns`, value: median(results.get(CLOCK)) }],
      goal: `≤ ${MOST_OF_CLOCK}×`,
      met: overClock[2] <= MOST_OF_CLOCK,
    }),
    ...comparisonRows({ work, results, ours: 'ours', peers, floors: [CLOCK] }),
    resultRow({ work: 'two clock reads', unit: 'ns', ours: interval(results.get(CLOCK)) }),
  ];
}

function oursTimer() {
  const ours = loadOurs();
  const memory = ours.createCoreMemory();
  const binding = ours.currentBinding();
  binding.writer = ours.attachWriter(memory, 0);
  binding.generation++;
  const timer = ours.timer('bench.span');
  return {
    name: 'ours',
    check() {
      for (let index = 0; index < CHECKED; index++) timer.stop(timer.start());
      const reader = ours.attachReader(memory);
      const info = reader.takeNewSeries().find(({ name }) => name === 'bench.span');
      assert.equal(reader.histogramDelta(info).count, CHECKED);
    },
    run(count) {
      for (let index = 0; index < count; index++) timer.stop(timer.start());
    },
  };
}

function clockReads() {
  let sum = 0;
  return {
    name: CLOCK,
    run(count) {
      for (let index = 0; index < count; index++) sum += performance.now() - performance.now();
      assert.ok(sum <= 0);
    },
  };
}

function timerified() {
  const histogram = createHistogram();
  const timed = performance.timerify(() => {}, { histogram });
  return {
    name: TIMERIFY,
    check() {
      for (let index = 0; index < CHECKED; index++) timed();
      assert.equal(histogram.count, CHECKED);
    },
    run(count) {
      for (let index = 0; index < count; index++) timed();
    },
  };
}

function otelSpan() {
  const { BasicTracerProvider } = requirePeer('@opentelemetry/sdk-trace-base');
  let ended = 0;
  const counting = {
    onStart() {},
    onEnd() {
      ended++;
    },
    async forceFlush() {},
    async shutdown() {},
  };
  const tracer = new BasicTracerProvider({ spanProcessors: [counting] }).getTracer('bench');
  return {
    name: OTEL,
    check() {
      for (let index = 0; index < CHECKED; index++) tracer.startSpan('bench').end();
      assert.equal(ended, CHECKED);
    },
    run(count) {
      for (let index = 0; index < count; index++) tracer.startSpan('bench').end();
    },
  };
}
