/**
 * Preloaded by every process whose memory is watched: collects all garbage of the main thread once a minute. What V8 lets
 * lie until it is worth a collection, and the room that it keeps for that, differ by many megabytes from one to the next;
 * memory that grows all the same is kept by something.
 */
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { isMainThread } = require('node:worker_threads');

const EVERY_MILLIS = 60_000;

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  setInterval(runInNewContext('gc'), EVERY_MILLIS).unref();
}
