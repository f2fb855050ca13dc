/** argv[2] console.log calls of an ordinary line with an object, timed together. */
const { runWork } = require('./fixed-work.cjs');

const WARM_LINES = 2000;

const lines = Number(process.argv[2]);
runWork(() => {
  write(WARM_LINES);
  const start = performance.now();
  write(lines);
  return { microsPerLine: ((performance.now() - start) * 1000) / lines };
});

function write(count) {
  for (let index = 0; index < count; index++)
    console.log('request %d took', index, { millis: 12, route: '/orders' });
}
