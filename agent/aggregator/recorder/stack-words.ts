/** A stack in words, root first: `handler (/srv/app.js:12)`. */
import { fileOf, functionName } from '../../../collector/profile/frame';
import type { RecordedNames } from './recorded';

export function stackWords(names: RecordedNames, stack: number): string[] {
  const words: string[] = [];
  for (let id = stack; id !== 0; id = names.parentOf(id)) {
    const entry = names.functionOf(id);
    const file = fileOf(entry.url);
    const place = file === '' ? '' : ` (${file}:${names.lineOf(id) || entry.line})`;
    words.push(`${functionName(entry)}${place}`);
  }
  return words.reverse();
}
