/** A process that hangs is waited for: nothing is started or ended in it before its loop turns. Where it hangs is told meanwhile. */
import type { InspectedProcess } from './inspected-process';

/** A loop that does not turn for so long hangs. */
const TURNS_WITHIN_MILLIS = 1500;
/** Its stack is looked at this often: it stands still for that moment. */
const LOOKS_EVERY_MILLIS = 10_000;
const FRAMES_MAX = 12;
const NATIVE = '(native code)';

/** given: gives true when the wait is to be given up. purpose: what is waited for. False where it was given up. */
export async function waitForTurn(
  inspected: InspectedProcess,
  given: Promise<unknown>,
  purpose: string,
  say: (text: string) => void,
): Promise<boolean> {
  const ended = Promise.race([inspected.turned().then(() => true), given.then(() => false)]);
  let result = await within(ended, TURNS_WITHIN_MILLIS);
  let leaf: string | undefined;
  while (result === undefined) {
    const stack = (await inspected.stack()).slice(0, FRAMES_MAX);
    const [now = NATIVE] = stack;
    const lines = (stack.length === 0 ? [NATIVE] : stack).map((line) => `\n  ${line}`).join('');
    if (leaf === undefined)
      say(
        `process ${inspected.pid} hangs; ${purpose} when it does not any more, and not before. It hangs in:${lines}`,
      );
    else if (functionOf(now) !== functionOf(leaf))
      say(`process ${inspected.pid} hangs still, now in:${lines}`);
    leaf = now;
    result = await within(ended, LOOKS_EVERY_MILLIS);
  }
  return result;
}

/** A function goes through many lines. */
function functionOf(frame: string): string {
  return frame.replace(/:\d+$/, '');
}

async function within<T>(promise: Promise<T>, millis: number): Promise<T | undefined> {
  let late: NodeJS.Timeout | undefined;
  const result = await Promise.race([
    promise,
    new Promise<undefined>((done) => {
      late = setTimeout(done, millis, undefined);
    }),
  ]);
  clearTimeout(late);
  return result;
}
