/**
 * A main thread that times its own gaps. Every call of globalThis.benchBeat() reads the clock; where two calls are
 * further apart than GAP_MILLIS, the gap is kept. A peer is rotated from the heartbeat once a second and timed on the
 * spot: `inspector` by Profiler.stop and start, `datadog` by time.stop(true).
 */
const { waitedMillis } = require('./run-delay.cjs');

const GAP_MILLIS = 0.1;
const ROTATE_MILLIS = 1000;
const INTERVAL_MICROS = 10_101;

/** peer: '', 'inspector' or 'datadog'. finish() gives { gaps, pauses }: [start, end, waited for a CPU] each, ms. */
exports.startHeartbeat = function startHeartbeat(peer) {
  const gaps = [];
  const pauses = [];
  const rotate = ROTATIONS[peer]();
  let last = performance.now();
  let waited = waitedMillis();
  let due = last + ROTATE_MILLIS;

  /** What was waited for a CPU since the last look. */
  const newlyWaited = () => {
    const before = waited;
    waited = waitedMillis();
    return waited - before;
  };

  globalThis.benchBeat = () => {
    let now = performance.now();
    if (now - last > GAP_MILLIS) {
      gaps.push([last, now, newlyWaited()]);
      now = performance.now();
    }
    if (rotate !== null && now >= due) {
      newlyWaited();
      const start = performance.now();
      rotate();
      pauses.push([start, performance.now(), newlyWaited()]);
      now = performance.now();
      due = now + ROTATE_MILLIS;
    }
    last = now;
  };
  return { finish: () => ({ gaps, pauses }) };
};

const ROTATIONS = {
  '': () => null,
  inspector() {
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
    session.post('Profiler.start');
    return () => {
      session.post('Profiler.stop');
      session.post('Profiler.start');
    };
  },
  datadog() {
    const { time } = require('@datadog/pprof');
    time.start({ intervalMicros: INTERVAL_MICROS, durationMillis: ROTATE_MILLIS });
    return () => time.stop(true);
  },
};
