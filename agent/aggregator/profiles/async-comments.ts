/** What a reader of live asynchronous resources has to know: since when, how exact, what is missing and why. */
import { AsyncBit, AsyncWord } from '../../../assembly/layout';
import type { AsyncWatch } from '../async-watch';

export function asyncComments(watch: AsyncWatch, nowMicros: number): string[] {
  const { page, state, offReason } = watch;
  const comments: string[] = [];
  if ((state & AsyncBit.Hooks) !== 0) {
    const seconds = Math.round((nowMicros - watch.sinceMicros) / 1e6);
    comments.push(`asynchronous resources: followed for ${seconds} s; older ones have no stack`);
    comments.push(
      (state & AsyncBit.Promises) === 0
        ? 'promises are not followed: ?seconds=N does, with RINGTAIL_ASYNC=window or on'
        : 'promises are followed',
    );
    const weight = heaviest(watch);
    if (weight > 1)
      comments.push(
        `of what is made often, one in up to ${weight} is followed and counts for all: figures are estimates`,
      );
  } else {
    comments.push(offReason || whyOff(state));
  }
  const missed = page.word(AsyncWord.Missed) >>> 0;
  const full = page.word(AsyncWord.Full) >>> 0;
  if (missed + full > 0)
    comments.push(`not followed: ${full} for want of room, ${missed} whose stack could not be taken`);
  return comments;
}

function heaviest({ page }: AsyncWatch): number {
  let weight = 1;
  for (const live of page.live()) weight = Math.max(weight, live.weight);
  return weight;
}

function whyOff(state: number): string {
  if ((state & AsyncBit.Refused) === 0)
    return 'asynchronous resources are not followed: the main thread has not answered yet';
  return (
    'no stacks: on this Node.js version hooks follow every promise, which ends a program that waits for a frozen one; ' +
    'RINGTAIL_ASYNC=window allows it, a Node.js from 24 on does without'
  );
}
