/**
 * The demo service (build/demo-service.js); a timer beats for the rotations of the peer of argv[2]. Tells { result } when
 * it is sent 'finish'.
 */
const { join } = require('node:path');
const { startHeartbeat } = require('./heartbeat.cjs');

const BEAT_MILLIS = 50;

const heartbeat = startHeartbeat(process.argv[2] ?? '');
setInterval(globalThis.benchBeat, BEAT_MILLIS);
process.on('message', () => {
  const rotations = globalThis.benchRotations?.() ?? [];
  process.send({ result: { rotations, atMillis: performance.now(), ...heartbeat.finish() } });
});
require(join(__dirname, '../../../build/demo-service.js'));
