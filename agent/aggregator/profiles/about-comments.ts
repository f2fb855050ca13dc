/** What every profile, trace and dump that the agent makes says: what profiling costs, and what the program runs on. */
import { mega } from '../../../collector/profile/mega';
import { environmentHints, environmentText } from '../../wire/environment';
import type { ProfileContext } from './context';

export function aboutComments(context: ProfileContext): string[] {
  const { environment } = context;
  const hints = environmentHints(environment).map((hint) => `hint: ${hint}`);
  return [costComment(context), environmentText(environment), ...hints].filter((line) => line !== '');
}

function costComment(context: ProfileContext): string {
  const {
    ownMicros,
    sinceMicros,
    rotations,
    rotationPauseMicros,
    memoryBytes,
    sentBytes,
    losses,
    savedMicros,
  } = context.cost();
  const percent = (100 * ownMicros) / Math.max(1, context.nowMicros() - sinceMicros);
  const pauses = `${rotations} rotations pausing main ${(rotationPauseMicros / 1000).toFixed(1)} ms in all`;
  const { count, pauseMicros } = context.heap.budget.made;
  const captures =
    count === 0 ? '' : `, ${count} heap captures pausing it ${(pauseMicros / 1000).toFixed(1)} ms in all`;
  const saved =
    savedMicros === 0
      ? ''
      : `, not sampled for ${(savedMicros / 1e6).toFixed(0)} s of it to stay inside the budget`;
  const lost = [...losses].map(([reason, lostCount]) => `${lostCount} ${reason}`).join(', ') || 'nothing';
  return (
    `profiler's own cost since the start: ${percent.toFixed(2)} % of a core, ${pauses}${captures}${saved}, ` +
    `${mega(memoryBytes)} of its thread's memory, ${mega(sentBytes)} sent; lost: ${lost}`
  );
}
