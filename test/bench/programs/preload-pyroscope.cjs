/** @pyroscope/nodejs as its manual says, CPU only, at 99 Hz, uploading to $BENCH_SINK every ten seconds. */
const { default: Pyroscope } = require('@pyroscope/nodejs');

Pyroscope.init({
  appName: 'bench',
  serverAddress: process.env.BENCH_SINK || 'http://127.0.0.1:9',
  flushIntervalMs: 10_000,
  wall: { samplingIntervalMicros: 10_101, samplingDurationMs: 10_000 },
});
Pyroscope.startWallProfiling();
