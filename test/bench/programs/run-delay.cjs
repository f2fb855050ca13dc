/**
 * How long the calling thread has waited for a CPU that others kept busy, in milliseconds since it began (second field
 * of Linux's schedstat): on a machine with other work this must not count as a pause. Always 0 elsewhere.
 */
const { openSync, readSync } = require('node:fs');

const buffer = Buffer.alloc(64);
let file = -1;
try {
  file = openSync('/proc/thread-self/schedstat', 'r');
} catch {
  // Not Linux: what was waited for cannot be told apart.
}

exports.waitedMillis = function waitedMillis() {
  if (file < 0) return 0;
  const length = readSync(file, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
};
