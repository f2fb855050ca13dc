/** Medians, quantiles and bootstrap intervals over the rounds of a bench. */
import { seededRandom } from './random.mjs';

const RESAMPLES = 2000;

/** q in [0, 1], by linear interpolation; NaN when empty. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

export function median(values) {
  return quantile(values, 0.5);
}

/** Half the distance between the quartiles, as a share of the median. */
export function spread(values) {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / Math.abs(median(values));
}

/** [middle, low, high]: a figure of the values and its bootstrap 95 % interval (percentiles of seeded resamples). */
export function interval(values, figure = median, seed = 95) {
  const random = seededRandom(seed);
  const figures = new Float64Array(RESAMPLES);
  const resample = new Float64Array(values.length);
  for (let round = 0; round < RESAMPLES; round++) {
    for (let index = 0; index < resample.length; index++) {
      resample[index] = values[Math.floor(random() * values.length)];
    }
    figures[round] = figure(resample);
  }
  return [figure(values), quantile(figures, 0.025), quantile(figures, 0.975)];
}

/** The median of the rounds' ratios with its interval: peers[i] ÷ ours[i], above 1 where ours is smaller. */
export function ratioInterval(ours, peers) {
  return interval(Array.from(ours, (value, round) => peers[round] / value));
}

/** Ratio of one figure of two independent sets (pauses, say, of which each side has its own number). */
export function unpairedRatio(ours, peers, figure) {
  const random = seededRandom(7);
  const figures = new Float64Array(RESAMPLES);
  const draw = (values) => Array.from(values, () => values[Math.floor(random() * values.length)]);
  for (let round = 0; round < RESAMPLES; round++) figures[round] = figure(draw(peers)) / figure(draw(ours));
  return [figure(peers) / figure(ours), quantile(figures, 0.025), quantile(figures, 0.975)];
}
