/** What cannot be used of what the program gave: ignored, counted in stats().refused, told once for each cause. */
import { shown } from './shown';
import { sayOnce } from './stderr';
import { tally } from './tally';

export function refuse(cause: string, rule: string, got: unknown, consequence = 'ignored'): void {
  tally.refused++;
  sayOnce(cause, () => `${rule}, got ${shown(got)}: ${consequence}`);
}
