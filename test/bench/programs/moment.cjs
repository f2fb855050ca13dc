/**
 * Tells when its first line ran and when its last did, in CLOCK_MONOTONIC nanoseconds; argv[2]: milliseconds between
 * the two. What comes before the first is the start, what comes after the last is the exit. argv[3] 'leave': ends by
 * process.exit, for an agent that would keep the program alive.
 */
const { writeSync } = require('node:fs');

const first = process.hrtime.bigint();
const millis = Number(process.argv[2] ?? 0);
if (millis === 0) finish();
else setTimeout(finish, millis);

function finish() {
  writeSync(1, `${first} ${process.hrtime.bigint()}\n`);
  if (process.argv[3] === 'leave') process.exit();
}
