/**
 * A result row, the same in the table and as JSON:
 *
 *   { work, node, unit, ours: [middle, low, high], peer: { name, version, value } | null,
 *     ratio: [middle, low, high] | null, floors: [{ name, value }], goal, met: true | false | null, note }
 *
 * A ratio above 1 means that ours is smaller (faster, shorter). A goal that is a ratio is met when the lower end of the
 * interval meets it; a goal that is a figure when our figure's upper end does. met is null where there is no goal.
 */
import { peerVersion } from './peers.mjs';
import { interval, median, ratioInterval } from './statistics.mjs';

/** Fills what a row leaves out. */
export function resultRow(row) {
  return {
    node: process.versions.node,
    unit: '',
    ours: null,
    peer: null,
    ratio: null,
    floors: [],
    goal: '',
    met: null,
    note: '',
    ...row,
  };
}

/** A row for a peer of `pkg` ('' for what comes with Node). */
export function peerOf(name, pkg, value) {
  return { name, version: pkg === '' ? `Node ${process.versions.node}` : peerVersion(pkg), value };
}

/**
 * Rows from alternating rounds: one a peer, the nearest first. peers: { name, pkg, goal } with goal the ratio wanted
 * of that peer or 0; bestGoal: the ratio wanted of the nearest of them; most: our figure must not be above it.
 */
export function comparisonRows({
  work,
  unit = 'ns',
  results,
  ours,
  peers,
  floors = [],
  bestGoal = 0,
  note = '',
  scale = 1,
}) {
  const own = results.get(ours).map((value) => value * scale);
  const middleOf = (name) => median(results.get(name)) * scale;
  const floorValues = floors
    .filter((name) => results.has(name))
    .map((name) => ({ name, value: middleOf(name) }));
  const present = peers
    .filter(({ name }) => results.has(name))
    .sort((a, b) => middleOf(a.name) - middleOf(b.name));
  return present.map(({ name, pkg, goal = 0 }, place) => {
    const wanted = place === 0 ? Math.max(bestGoal, goal) : goal;
    const ratio = ratioInterval(
      own,
      results.get(name).map((value) => value * scale),
    );
    return resultRow({
      work,
      unit,
      ours: interval(own),
      peer: peerOf(name, pkg, middleOf(name)),
      ratio,
      floors: floorValues,
      goal: wanted > 0 ? `≥ ${wanted}×${place === 0 && bestGoal > 0 ? ' the best' : ''}` : '',
      met: wanted > 0 ? ratio[1] >= wanted : null,
      note: place === 0 ? note : '',
    });
  });
}

/** A row whose goal is a bound of our own figure: values are the rounds', figure what is made of them. */
export function boundRow({ work, unit, values, most, figure = median, goal = `≤ ${most} ${unit}`, ...rest }) {
  const ours = interval(values, figure);
  return resultRow({ work, unit, ours, goal, met: ours[2] <= most, ...rest });
}
