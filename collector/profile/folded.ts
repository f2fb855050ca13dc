/**
 * Profiles as folded text, what flame graph scripts read: a stack a line, root first, its frames split by semicolons,
 * and its value after the last space: `main;handler (/srv/app.js);parse (/srv/app.js) 3`. Types, lines and labels have
 * no place in it: equal stacks become one line, and what is read counts samples.
 */
import { Profile } from './profile';
import { broken } from './profile-error';
import { checkCount, lineOf, NODES_MAX, PROFILE_ENTRIES_MAX, STACK_FRAMES_MAX } from './profile-limits';

const FORMAT = 'folded text';
const SHOWN_CHARACTERS = 60;

/** valueIndex: which sample type; the default one where it is not given. Lines are sorted by stack. */
export function encodeFolded(profile: Profile, valueIndex = profile.defaultValueIndex): string {
  const stride = profile.head.sampleTypes.length;
  const totals = new Map<string, number>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const locations = profile.locationsOf(profile.samples[sample * 2]!).reverse();
    const stack = locations.map((location) => frameName(profile, location)).join(';');
    totals.set(stack, (totals.get(stack) ?? 0) + profile.values[sample * stride + valueIndex]!);
  }
  const lines = [...totals].filter(([, value]) => value !== 0).map(([stack, value]) => `${stack} ${value}\n`);
  return lines.sort().join('');
}

/**
 * `handler (/srv/app.js)`; a frame without a file is only its name. A semicolon would split the frame, a line end the
 * line, and other control characters make the text look like none.
 */
function frameName(profile: Profile, location: number): string {
  const { name, file } = profile.functionOf(location);
  return (file === '' ? name : `${name} (${file})`).replaceAll(';', ',').replace(/\p{Cc}+/gu, ' ');
}

/** The lines must have passed `isFolded`, or be meant to be folded: one that is not is refused. */
export function decodeFolded(text: string): Profile {
  const profile = new Profile({
    sampleTypes: [{ type: 'samples', unit: 'count' }],
    periodType: { type: 'samples', unit: 'count' },
    period: 1,
    startMillis: 0,
    durationNanos: 0,
    program: '',
    comments: [],
  });
  const lines = text.split('\n');
  checkCount(FORMAT, 'lines', lines.length, PROFILE_ENTRIES_MAX);
  lines.forEach((line, index) => {
    if (isNothing(line)) return;
    const [, stack = '', value] = LINE.exec(line) ?? [];
    if (value === undefined) {
      const shown = JSON.stringify(line.slice(0, SHOWN_CHARACTERS));
      throw broken(FORMAT, `line ${index + 1} is not a stack and a number: ${shown}`);
    }
    profile.add(nodeOf(profile, stack), 0, [Number(value)]);
    checkCount(FORMAT, 'distinct stacks', profile.nodes.length / 2, NODES_MAX);
  });
  return profile;
}

/** True when the first line that says something is a stack and a number. */
export function isFolded(text: string): boolean {
  const first = text.split('\n', SNIFFED_LINES).find((line) => !isNothing(line));
  return first !== undefined && LINE.test(first);
}

const SNIFFED_LINES = 100;
const LINE = /^(.*) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/s;

/** A line by hand; but a function may be called #. */
function isNothing(line: string): boolean {
  return line.trim() === '' || (line.startsWith('# ') && !LINE.test(line));
}

function nodeOf(profile: Profile, stack: string): number {
  if (stack === '') return 0;
  const frames = stack.split(';');
  checkCount(FORMAT, 'frames in a stack', frames.length, STACK_FRAMES_MAX);
  return frames.reduce((node, frame) => {
    const { name, file, line } = placeOf(frame);
    return profile.node(node, profile.location(profile.function(name, '', file, 0), line));
  }, 0);
}

/** `handler (/srv/app.js)`, `handler (/srv/app.js:12)`; else all of it is the name. */
function placeOf(frame: string): { name: string; file: string; line: number } {
  const [, name, place] = /^(.+) \(([^()]+)\)$/s.exec(frame) ?? [];
  if (name === undefined || place === undefined) return { name: frame, file: '', line: 0 };
  const [, file, line] = /^(.+):(\d+)$/s.exec(place) ?? [];
  return file === undefined ? { name, file: place, line: 0 } : { name, file, line: lineOf(Number(line)) };
}
