/** @datadog/pprof as an always-on profiler: 99 Hz, a rotation every ten seconds, the profile encoded as for an upload. */
const { encode, time } = require('@datadog/pprof');

const ROTATE_MILLIS = 10_000;

time.start({ intervalMicros: 10_101, durationMillis: ROTATE_MILLIS });
setInterval(() => encode(time.stop(true)), ROTATE_MILLIS).unref();
