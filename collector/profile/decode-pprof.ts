/**
 * google/pprof's profile.proto, decompressed, to a profile: whoever wrote it, Go, ringtail or another. Ids may be any
 * 64-bit number; whatever names something that is not there is refused. Code without names is called by its address,
 * as `go tool pprof` does it.
 *
 * Fields are told in pprof.ts. Not kept: addresses where there are names, mappings beyond the first one's file, and
 * drop_frames and keep_frames.
 */
import { type NumericLabel, Profile, type ValueType } from './profile';
import { broken } from './profile-error';
import {
  checkCount,
  LOCATION_LINES_MAX,
  lineOf,
  NODES_MAX,
  PROFILE_ENTRIES_MAX,
  SAMPLE_TYPES_MAX,
  STACK_FRAMES_MAX,
  WALKED_FRAMES_MAX,
} from './profile-limits';
import { ProtobufReader } from './protobuf-reader';

const FORMAT = 'profile.proto';
const UNKNOWN = '<unknown>';
const ADDRESS_DIGITS = 16;

type Id = number | bigint;
/** Messages by where they lie, start and end each: what they name may come behind them. */
type Ranges = number[];
type Parts = {
  strings: string[];
  sampleTypes: Ranges;
  samples: Ranges;
  mappings: Ranges;
  locations: Ranges;
  functions: Ranges;
  periodType: ProtobufReader | null;
  comments: number[];
  period: number;
  timeNanos: number;
  durationNanos: number;
  defaultSampleType: number;
};

export function decodePprof(bytes: Uint8Array): Profile {
  const parts = partsOf(bytes);
  const text = (index: number) => textAt(parts.strings, index);
  const sampleTypes = Array.from(messages(bytes, parts.sampleTypes), (reader) => valueTypeOf(reader, text));
  if (sampleTypes.length === 0) throw broken(FORMAT, 'it has no sample types');
  const mappings = mappingsOf(messages(bytes, parts.mappings), text);
  const profile = new Profile({
    sampleTypes,
    periodType: parts.periodType === null ? { type: '', unit: '' } : valueTypeOf(parts.periodType, text),
    period: parts.period,
    // To the µs, which is all that a number holds of today in ns.
    startMillis: Math.round(parts.timeNanos / 1000) / 1000,
    durationNanos: parts.durationNanos,
    program: mappings.values().next().value ?? '',
    comments: parts.comments.map(text),
    defaultSampleType: text(parts.defaultSampleType),
  });
  const functions = functionsOf(messages(bytes, parts.functions), profile, text);
  const locations = locationsOf(messages(bytes, parts.locations), profile, functions, mappings);
  addSamples(messages(bytes, parts.samples), profile, locations, text);
  return profile;
}

function partsOf(bytes: Uint8Array): Parts {
  const parts: Parts = {
    strings: [],
    sampleTypes: [],
    samples: [],
    mappings: [],
    locations: [],
    functions: [],
    periodType: null,
    comments: [],
    period: 0,
    timeNanos: 0,
    durationNanos: 0,
    defaultSampleType: 0,
  };
  const reader = new ProtobufReader(bytes);
  while (reader.next()) readPart(parts, reader);
  if (parts.strings[0] !== '') throw broken(FORMAT, 'its first string is not the empty one');
  return parts;
}

function readPart(parts: Parts, reader: ProtobufReader): void {
  switch (reader.field) {
    case 1:
      return addRange(parts.sampleTypes, reader, 'sample types', SAMPLE_TYPES_MAX);
    case 2:
      return addRange(parts.samples, reader, 'samples');
    case 3:
      return addRange(parts.mappings, reader, 'mappings');
    case 4:
      return addRange(parts.locations, reader, 'locations');
    case 5:
      return addRange(parts.functions, reader, 'functions');
    case 6:
      checkCount(FORMAT, 'strings', parts.strings.push(reader.text()), PROFILE_ENTRIES_MAX);
      return;
    case 9:
      parts.timeNanos = reader.signed();
      return;
    case 10:
      parts.durationNanos = reader.signed();
      return;
    case 11:
      parts.periodType = reader.message();
      return;
    case 12:
      parts.period = reader.signed();
      return;
    case 13:
      return reader.each((number) => {
        checkCount(FORMAT, 'comments', parts.comments.push(number.signed()), PROFILE_ENTRIES_MAX);
      });
    case 14:
      parts.defaultSampleType = reader.signed();
  }
}

function addRange(ranges: Ranges, reader: ProtobufReader, what: string, max = PROFILE_ENTRIES_MAX): void {
  const [start, end] = reader.range();
  checkCount(FORMAT, what, ranges.push(start, end) / 2, max);
}

function* messages(bytes: Uint8Array, ranges: Ranges): Generator<ProtobufReader> {
  for (let index = 0; index < ranges.length; index += 2) {
    yield new ProtobufReader(bytes, ranges[index], ranges[index + 1]);
  }
}

type Text = (index: number) => string;

function textAt(strings: readonly string[], index: number): string {
  const string = strings[index];
  if (string === undefined) throw broken(FORMAT, `string ${index} of ${strings.length}`);
  return string;
}

function valueTypeOf(reader: ProtobufReader, text: Text): ValueType {
  const value = { type: '', unit: '' };
  while (reader.next()) {
    if (reader.field === 1) value.type = text(reader.signed());
    if (reader.field === 2) value.unit = text(reader.signed());
  }
  return value;
}

/** File names by id, in order. */
function mappingsOf(readers: Iterable<ProtobufReader>, text: Text): Map<Id, string> {
  const files = new Map<Id, string>();
  for (const reader of readers) {
    let id: Id = 0;
    let file = '';
    while (reader.next()) {
      if (reader.field === 1) id = reader.id();
      if (reader.field === 5) file = text(reader.signed());
    }
    files.set(id, file);
  }
  return files;
}

/** The profile's function ids by those of the file. */
function functionsOf(readers: Iterable<ProtobufReader>, profile: Profile, text: Text): Map<Id, number> {
  const functions = new Map<Id, number>();
  for (const reader of readers) {
    let id: Id = 0;
    let startLine = 0;
    const names = ['', '', ''];
    while (reader.next()) {
      if (reader.field === 1) id = reader.id();
      else if (reader.field <= 4) names[reader.field - 2] = text(reader.signed());
      else if (reader.field === 5) startLine = lineOf(reader.signed());
    }
    const [name, systemName, file] = names;
    // Go's rule: a function without a name is called by what the system calls it.
    functions.set(id, profile.function(name || systemName! || UNKNOWN, systemName!, file!, startLine));
  }
  return functions;
}

/** The profile's locations of each location of the file, innermost first. */
function locationsOf(
  readers: Iterable<ProtobufReader>,
  profile: Profile,
  functions: ReadonlyMap<Id, number>,
  mappings: ReadonlyMap<Id, string>,
): Map<Id, readonly number[]> {
  const locations = new Map<Id, readonly number[]>();
  for (const reader of readers) {
    let id: Id = 0;
    let address: Id = 0;
    let mapping: Id = 0;
    const lines: Line[] = [];
    while (reader.next()) {
      if (reader.field === 1) id = reader.id();
      else if (reader.field === 2) mapping = reader.id();
      else if (reader.field === 3) address = reader.id();
      else if (reader.field === 4) {
        checkCount(FORMAT, 'lines of a location', lines.length + 1, LOCATION_LINES_MAX);
        lines.push(readLine(reader.message(), functions));
      }
    }
    if (id === 0) throw broken(FORMAT, 'a location has no id');
    locations.set(
      id,
      lines.length === 0
        ? [profile.location(profile.function(addressName(address, mappings.get(mapping)), '', '', 0), 0)]
        : lines.map(({ functionId, line, column }, index) => {
            const called = functionId === 0 ? profile.function(UNKNOWN, '', '', 0) : functionId;
            return profile.location(called, line, { column, inlined: index < lines.length - 1 });
          }),
    );
  }
  return locations;
}

type Line = { functionId: number; line: number; column: number };

function readLine(reader: ProtobufReader, functions: ReadonlyMap<Id, number>): Line {
  const read: Line = { functionId: 0, line: 0, column: 0 };
  while (reader.next()) {
    if (reader.field === 1) read.functionId = functionAt(functions, reader.id());
    else if (reader.field === 2) read.line = lineOf(reader.signed());
    else if (reader.field === 3) read.column = lineOf(reader.signed());
  }
  return read;
}

/** 0 for none. */
function functionAt(functions: ReadonlyMap<Id, number>, id: Id): number {
  if (id === 0) return 0;
  const known = functions.get(id);
  if (known === undefined) throw broken(FORMAT, `a location names function ${id}, which is not there`);
  return known;
}

function addressName(address: Id, file: string | undefined): string {
  const place = address === 0 ? '' : address.toString(16).padStart(ADDRESS_DIGITS, '0');
  const base = file === undefined || file === '' ? '' : `[${file.slice(file.lastIndexOf('/') + 1)}]`;
  return `${place} ${base}`.trim() || UNKNOWN;
}

function addSamples(
  readers: Iterable<ProtobufReader>,
  profile: Profile,
  locations: ReadonlyMap<Id, readonly number[]>,
  text: Text,
): void {
  const stride = profile.head.sampleTypes.length;
  const frames: number[] = [];
  const path = new LastPath(profile);
  let walked = 0;
  for (const reader of readers) {
    frames.length = 0;
    const values: number[] = [];
    const labels: string[] = [];
    const numbers: NumericLabel[] = [];
    while (reader.next()) {
      if (reader.field === 1) {
        reader.each((number) => {
          const id = number.id();
          const at = locations.get(id);
          if (at === undefined) throw broken(FORMAT, `a sample names location ${id}, which is not there`);
          for (const location of at) frames.push(location);
          checkCount(FORMAT, 'frames in a stack', frames.length, STACK_FRAMES_MAX);
        });
      } else if (reader.field === 2) {
        reader.each((number) => {
          checkCount(FORMAT, 'values in a sample', values.length + 1, SAMPLE_TYPES_MAX);
          values.push(number.signed());
        });
      } else if (reader.field === 3) readLabel(reader.message(), labels, numbers, text);
    }
    if (values.length !== stride)
      throw broken(FORMAT, `a sample has ${values.length} values, the profile ${stride} sample types`);
    walked += frames.length;
    checkCount(FORMAT, 'frames', walked, WALKED_FRAMES_MAX);
    const node = path.nodeOf(frames);
    checkCount(FORMAT, 'distinct stacks', profile.nodes.length / 2, NODES_MAX);
    profile.add(node, profile.labelSet(labels, numbers), values);
  }
}

/** Nodes of stacks: what a stack has in common with the one before, from the root, is not looked up again. */
class LastPath {
  readonly #profile: Profile;
  /** Root first. */
  #frames: number[] = [];
  #nodes: number[] = [];

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /** frames: leaf first. */
  nodeOf(frames: readonly number[]): number {
    const depth = frames.length;
    let same = 0;
    while (same < depth && this.#frames[same] === frames[depth - 1 - same]) same++;
    let node = same === 0 ? 0 : this.#nodes[same - 1]!;
    this.#frames.length = same;
    this.#nodes.length = same;
    for (let index = depth - 1 - same; index >= 0; index--) {
      node = this.#profile.node(node, frames[index]!);
      this.#frames.push(frames[index]!);
      this.#nodes.push(node);
    }
    return node;
  }
}

function readLabel(reader: ProtobufReader, labels: string[], numbers: NumericLabel[], text: Text): void {
  let key = '';
  let string: string | null = null;
  let value: number | null = null;
  let unit = '';
  while (reader.next()) {
    if (reader.field === 1) key = text(reader.signed());
    else if (reader.field === 2) string = text(reader.signed());
    else if (reader.field === 3) value = reader.signed();
    else if (reader.field === 4) unit = text(reader.signed());
  }
  // What has neither is the number 0, whose bytes are left out.
  if (string !== null && (string !== '' || value === null)) labels.push(key, string);
  else numbers.push({ key, value: value ?? 0, unit });
}
