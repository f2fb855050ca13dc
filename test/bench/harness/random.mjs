/** Seeded random numbers: every run of a bench works on the same data. */

/** mulberry32: 32 bits of state, uniform in [0, 1). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Latencies as services have them, µs: log-normal with a second, slower mode, as whole numbers from 1 on. */
export function latenciesMicros(count, seed = 1) {
  const random = seededRandom(seed);
  const values = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const [middle, width] = random() < 0.9 ? [400, 0.6] : [9000, 0.9];
    values[index] = Math.max(1, Math.round(middle * Math.exp(width * normal)));
  }
  return values;
}
