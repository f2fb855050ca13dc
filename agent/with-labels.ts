/** withLabels(): the labels of samples, for programs. */
import { isMainThread } from 'node:worker_threads';
import { flatLabels, type Labels, labelsUsable } from './instruments';
import { LabelContext } from './label-context';
import { refuse } from './refusal';
import { currentBinding, runningAgent } from './registration';

let ofWorker: LabelContext | null = null;

/**
 * Runs a function under labels, which the samples of it and of everything that it starts and awaits get:
 * `await withLabels({ tenant: 'a' }, () => handle(request))`. Returns what the function returns, throws what it throws.
 * Labels inside of labels add to them. Few values, please: 1,024 sets a thread. Without an agent only the function runs.
 */
export function withLabels<T>(labels: Labels, run: () => T): T {
  if (typeof run !== 'function') {
    refuse('labels', 'withLabels() runs functions', run);
    return undefined as T;
  }
  const context = labelContext();
  if (context === null) return run();
  const flat = flatLabels(labels);
  if (flat === null || !labelsUsable(flat)) {
    refuse('labels', 'labels must be 1 to 255 printable characters and at most 32', labels, 'run without');
    return run();
  }
  return context.run(flat, run);
}

function labelContext(): LabelContext | null {
  if (isMainThread) return runningAgent()?.labels ?? null;
  if (currentBinding().writer === null) return null;
  ofWorker ??= new LabelContext(() => currentBinding().writer);
  return ofWorker;
}
