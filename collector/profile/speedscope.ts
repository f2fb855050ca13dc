/**
 * speedscope's JSON (https://www.speedscope.app/file-format-schema.json). Frames are shared and named by index; a
 * profile is sampled (stacks and their weights) or evented (frames open and close), and measures one unit.
 *
 * Out: one sampled profile for each sample type, named `cpu/nanoseconds`, so that ours come back as they were. A frame
 * is a function where it begins: speedscope takes each line for a frame of its own. Labels have no place. In: one sample type for each unit, and where there are more profiles than units a label tells which
 * one a sample is from.
 */
import { type JsonRecord, listOf, numberOf, recordOf, textOf } from './json-value';
import { Profile, type ProfileFunction, type ValueType } from './profile';
import { broken } from './profile-error';
import {
  checkCount,
  lineOf,
  NODES_MAX,
  PROFILE_ENTRIES_MAX,
  SAMPLE_TYPES_MAX,
  STACK_FRAMES_MAX,
  WALKED_FRAMES_MAX,
} from './profile-limits';
import { isBytes, timeUnitNanos, typeName } from './value-type';

const FORMAT = 'speedscope file';
export const SPEEDSCOPE_SCHEMA = 'https://www.speedscope.app/file-format-schema.json';
const EXPORTER = 'ringtail';
const PROFILE_LABEL = 'profile';

export function encodeSpeedscope(profile: Profile): string {
  const { head } = profile;
  const frames: object[] = [];
  for (let id = 1; id * 4 < profile.functions.length; id++) frames.push(frameOf(profile.functionAt(id)));
  const profiles = head.sampleTypes.map((type, index) => sampledOf(profile, type, index));
  return JSON.stringify({
    $schema: SPEEDSCOPE_SCHEMA,
    name: head.program,
    exporter: EXPORTER,
    activeProfileIndex: profile.defaultValueIndex,
    shared: { frames },
    profiles,
  });
}

function frameOf({ name, file, startLine }: ProfileFunction): object {
  return { name, ...(file === '' ? {} : { file }), ...(startLine === 0 ? {} : { line: startLine }) };
}

function sampledOf(profile: Profile, type: ValueType, valueIndex: number): object {
  const stride = profile.head.sampleTypes.length;
  const samples: number[][] = [];
  const weights: number[] = [];
  let endValue = 0;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[sample * stride + valueIndex]!;
    if (value === 0) continue;
    const path = profile.locationsOf(profile.samples[sample * 2]!).reverse();
    samples.push(path.map((location) => profile.locations[location * 2]! - 1));
    weights.push(value);
    endValue += value;
  }
  return {
    type: 'sampled',
    name: typeName(type),
    unit: unitOf(type),
    startValue: 0,
    endValue,
    samples,
    weights,
  };
}

function unitOf({ unit }: ValueType): string {
  const nanos = timeUnitNanos(unit);
  const named = Object.keys(UNIT_NANOS).find((name) => UNIT_NANOS[name] === nanos);
  return named ?? (isBytes(unit) ? 'bytes' : 'none');
}

const UNIT_NANOS: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
};

/** One profile of the file. factor: what a value of it is multiplied by. */
type Part = { fields: JsonRecord; name: string; type: ValueType; factor: number };

export function isSpeedscope(json: JsonRecord): boolean {
  return json.$schema === SPEEDSCOPE_SCHEMA || ('shared' in json && 'profiles' in json);
}

export function decodeSpeedscope(json: unknown): Profile {
  const file = recordOf(FORMAT, 'the file', json);
  const list = listOf(FORMAT, 'profiles', file.profiles);
  checkCount(FORMAT, 'profiles', list.length, PROFILE_ENTRIES_MAX);
  const parts = list.map((entry) => partOf(recordOf(FORMAT, 'a profile', entry), file.exporter === EXPORTER));
  const names = [...new Set(parts.map(({ type }) => typeName(type)))];
  checkCount(FORMAT, 'units', names.length, SAMPLE_TYPES_MAX);
  if (names.length === 0) throw broken(FORMAT, 'it has no profiles');
  const sampleTypes = names.map((name) => parts.find(({ type }) => typeName(type) === name)!.type);
  const active = typeof file.activeProfileIndex === 'number' ? parts[file.activeProfileIndex] : undefined;
  const shown = active?.type ?? sampleTypes.at(-1)!;
  const profile = new Profile({
    sampleTypes,
    periodType: shown,
    period: 0,
    startMillis: 0,
    durationNanos: durationOf(parts),
    program: textOf(FORMAT, 'name', file.name),
    comments: [],
    defaultSampleType: shown.type,
  });
  const frames = readFrames(profile, recordOf(FORMAT, 'shared', file.shared));
  for (const part of parts) {
    const labels = parts.length > names.length ? [PROFILE_LABEL, part.name] : [];
    const index = names.indexOf(typeName(part.type));
    const sums = new Sums(profile, frames, profile.labelSet(labels), index);
    if (part.fields.type === 'sampled') addSampled(part, sums);
    else if (part.fields.type === 'evented') addEvented(part, sums);
    else throw broken(FORMAT, `a profile of type ${JSON.stringify(part.fields.type)}`);
  }
  return profile;
}

function partOf(fields: JsonRecord, isOurs: boolean): Part {
  const name = textOf(FORMAT, 'name of a profile', fields.name);
  const unit = textOf(FORMAT, 'unit', fields.unit);
  const slash = name.indexOf('/');
  if (isOurs && slash >= 0)
    return { fields, name, type: { type: name.slice(0, slash), unit: name.slice(slash + 1) }, factor: 1 };
  const nanos = UNIT_NANOS[unit];
  if (nanos !== undefined)
    return { fields, name, type: { type: 'time', unit: 'nanoseconds' }, factor: nanos };
  const type = unit === 'bytes' ? { type: 'space', unit } : { type: 'samples', unit: 'count' };
  return { fields, name, type, factor: 1 };
}

/** The longest of them in time: they may run beside each other. */
function durationOf(parts: readonly Part[]): number {
  let longest = 0;
  for (const { fields, type, factor } of parts) {
    const { startValue, endValue } = fields;
    const nanos = timeUnitNanos(type.unit);
    if (nanos === null || typeof startValue !== 'number' || typeof endValue !== 'number') continue;
    longest = Math.max(longest, (endValue - startValue) * factor * nanos);
  }
  return Math.round(longest);
}

/** A location for each frame. */
function readFrames(profile: Profile, shared: JsonRecord): number[] {
  const list = listOf(FORMAT, 'frames', shared.frames);
  checkCount(FORMAT, 'frames', list.length, PROFILE_ENTRIES_MAX);
  return list.map((entry) => {
    const frame = recordOf(FORMAT, 'a frame', entry);
    const name = textOf(FORMAT, 'name of a frame', frame.name);
    const line = lineOf(frame.line);
    const functionId = profile.function(name, '', textOf(FORMAT, 'file of a frame', frame.file), line);
    return profile.location(functionId, line, { column: lineOf(frame.col) });
  });
}

/** Adds values to stacks of frame indices. */
class Sums {
  readonly #profile: Profile;
  readonly #frames: readonly number[];
  readonly #labels: number;
  readonly #values: number[];
  readonly #index: number;
  #walked = 0;

  constructor(profile: Profile, frames: readonly number[], labels: number, valueIndex: number) {
    this.#profile = profile;
    this.#frames = frames;
    this.#labels = labels;
    this.#index = valueIndex;
    this.#values = profile.head.sampleTypes.map(() => 0);
  }

  below(node: number, frame: number): number {
    const location = this.#frames[frame];
    if (location === undefined) throw broken(FORMAT, `frame ${frame} of ${this.#frames.length}`);
    checkCount(FORMAT, 'frames', ++this.#walked, WALKED_FRAMES_MAX);
    checkCount(FORMAT, 'distinct stacks', this.#profile.nodes.length / 2, NODES_MAX);
    return this.#profile.node(node, location);
  }

  add(node: number, value: number): void {
    if (value === 0) return;
    this.#values[this.#index] = value;
    this.#profile.add(node, this.#labels, this.#values);
  }
}

function addSampled({ fields, type, factor }: Part, sums: Sums): void {
  const samples = listOf(FORMAT, 'samples', fields.samples);
  const weights = listOf(FORMAT, 'weights', fields.weights);
  if (samples.length !== weights.length)
    throw broken(FORMAT, `a profile has ${samples.length} samples and ${weights.length} weights`);
  samples.forEach((entry, index) => {
    const stack = listOf(FORMAT, 'a sample', entry);
    checkCount(FORMAT, 'frames in a stack', stack.length, STACK_FRAMES_MAX);
    const weight = numberOf(FORMAT, 'a weight', weights[index]) * factor;
    let node = 0;
    for (const frame of stack) node = sums.below(node, numberOf(FORMAT, 'a frame of a sample', frame));
    sums.add(node, wholeOf(type, weight));
  });
}

/** What lies between two events is the time of the stack that was open. */
function addEvented({ fields, type, factor }: Part, sums: Sums): void {
  const open: { frame: number; node: number }[] = [];
  let last = wholeOf(type, numberOf(FORMAT, 'startValue', fields.startValue) * factor);
  const advance = (value: unknown, what: string) => {
    const at = wholeOf(type, numberOf(FORMAT, what, value) * factor);
    if (at < last) throw broken(FORMAT, `${what} goes back from ${last} to ${at}`);
    sums.add(open.at(-1)?.node ?? 0, open.length === 0 ? 0 : at - last);
    last = at;
  };
  for (const entry of listOf(FORMAT, 'events', fields.events)) {
    const event = recordOf(FORMAT, 'an event', entry);
    const frame = numberOf(FORMAT, 'frame of an event', event.frame);
    advance(event.at, 'at of an event');
    if (event.type === 'O') {
      checkCount(FORMAT, 'frames in a stack', open.length + 1, STACK_FRAMES_MAX);
      open.push({ frame, node: sums.below(open.at(-1)?.node ?? 0, frame) });
    } else if (event.type === 'C') {
      const top = open.pop();
      if (top?.frame !== frame)
        throw broken(FORMAT, `frame ${frame} closes while ${top === undefined ? 'none' : top.frame} is open`);
    } else throw broken(FORMAT, `an event of type ${JSON.stringify(event.type)}`);
  }
  if (open.length > 0) advance(fields.endValue, 'endValue');
}

/** Time in whole nanoseconds. */
function wholeOf({ unit }: ValueType, value: number): number {
  return unit === 'nanoseconds' ? Math.round(value) : value;
}
