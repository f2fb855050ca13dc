/**
 * Profiles as google/pprof's profile.proto, not compressed. Functions, file names and lines are all in there, so that
 * `go tool pprof` has nothing to look up: one mapping with all its has_* flags set stands for the program.
 *
 * Field numbers: Profile sample_type 1, sample 2, mapping 3, location 4, function 5, string_table 6, time_nanos 9,
 * duration_nanos 10, period_type 11, period 12, comment 13, default_sample_type 14. String 0 is ''. Ids start at 1.
 */
import { InlineGroups } from './inline-groups';
import type { NumericLabel, Profile, ValueType } from './profile';
import { ProtobufWriter, varintSize, WIRE_BYTES } from './protobuf';

const MAPPING_ID = 1;

export function encodePprof(profile: Profile): Buffer {
  const { head, strings } = profile;
  // Strings are interned while the rest is written and come last, in their order of id.
  const writer = new ProtobufWriter(profile.samples.length * 16 + profile.locations.length * 12 + 4096);
  for (const type of head.sampleTypes) writeValueType(writer, 1, type, profile);
  const groups = profile.inlined.includes(1) ? new InlineGroups(profile) : null;
  writeSamples(writer, profile, groups);
  writeMapping(writer, strings.id(head.program));
  for (let id = 1; id * 2 < profile.locations.length; id++) writeLocation(writer, profile, id, [id]);
  groups?.list.forEach((frames, index) => {
    writeLocation(writer, profile, groups.idAt(index), frames);
  });
  writeFunctions(writer, profile.functions);
  writeValueType(writer, 11, head.periodType, profile);
  writer.integer(12, Math.round(head.period));
  for (const comment of head.comments) {
    writer.reserve(8);
    writer.tag(13, 0);
    writer.varint(strings.id(comment));
  }
  writer.integer(14, strings.id(head.defaultSampleType ?? ''));
  writer.bigInteger(9, BigInt(Math.round(head.startMillis * 1000)) * 1000n);
  writer.integer(10, Math.round(head.durationNanos));
  for (const string of strings.list) writer.string(6, string);
  return writer.finish();
}

function writeValueType(
  writer: ProtobufWriter,
  field: number,
  { type, unit }: ValueType,
  { strings }: Profile,
): void {
  writeFields(writer, field, [1, strings.id(type), 2, strings.id(unit)]);
}

function writeMapping(writer: ProtobufWriter, filename: number): void {
  writeFields(writer, 3, [1, MAPPING_ID, 5, filename, 7, 1, 8, 1, 9, 1, 10, 1]);
}

/** A nested message of integers: number and value of each field in turn. */
function writeFields(writer: ProtobufWriter, field: number, fields: readonly number[]): void {
  let size = 0;
  for (let index = 1; index < fields.length; index += 2) size += 1 + varintSize(fields[index]!);
  writer.reserve(size + 12);
  writer.tag(field, WIRE_BYTES);
  writer.varint(size);
  for (let index = 0; index < fields.length; index += 2) {
    writer.tag(fields[index]!, 0);
    writer.varint(fields[index + 1]!);
  }
}

/** Location: id 1, mapping_id 2, line 4 { function_id 1, line 2, column 3 }; frames: innermost first. */
function writeLocation(
  writer: ProtobufWriter,
  { locations, columns }: Profile,
  id: number,
  frames: readonly number[],
): void {
  let size = 3 + varintSize(id);
  for (const frame of frames) size += 2 + lineBytes(locations, columns, frame);
  writer.reserve(size + 12);
  writer.tag(4, WIRE_BYTES);
  writer.varint(size);
  writer.tag(1, 0);
  writer.varint(id);
  writer.tag(2, 0);
  writer.varint(MAPPING_ID);
  for (const frame of frames) {
    writer.tag(4, WIRE_BYTES);
    writer.varint(lineBytes(locations, columns, frame));
    writer.tag(1, 0);
    writer.varint(locations[frame * 2]!);
    writer.tag(2, 0);
    writer.varint(locations[frame * 2 + 1]!);
    if (columns[frame] === 0) continue;
    writer.tag(3, 0);
    writer.varint(columns[frame]!);
  }
}

/** Below 128, so that its own size takes one byte. */
function lineBytes(locations: readonly number[], columns: readonly number[], frame: number): number {
  const column = columns[frame]!;
  const place = 2 + varintSize(locations[frame * 2]!) + varintSize(locations[frame * 2 + 1]!);
  return column === 0 ? place : place + 1 + varintSize(column);
}

/** Function: id 1, name 2, system_name 3, filename 4, start_line 5. */
function writeFunctions(writer: ProtobufWriter, functions: readonly number[]): void {
  writer.reserve((functions.length / 4) * 48);
  for (let id = 1; id * 4 < functions.length; id++) {
    let size = 5 + varintSize(id);
    for (let word = 0; word < 4; word++) size += varintSize(functions[id * 4 + word]!);
    writer.tag(5, WIRE_BYTES);
    writer.varint(size);
    writer.tag(1, 0);
    writer.varint(id);
    for (let word = 0; word < 4; word++) {
      writer.tag(word + 2, 0);
      writer.varint(functions[id * 4 + word]!);
    }
  }
}

/** Sample: location_id 1 (packed, leaf first), value 2 (packed), label 3. */
function writeSamples(writer: ProtobufWriter, profile: Profile, groups: InlineGroups | null): void {
  const stride = profile.head.sampleTypes.length;
  const labelBytes = profile.labelSets.map((labels, id) =>
    encodeLabels(labels, profile.numericLabels[id]!, profile),
  );
  const { nodes, samples, values } = profile;
  let path = new Uint32Array(256);
  for (let sample = 0; sample * 2 < samples.length; sample++) {
    let depth = 0;
    let pathSize = 0;
    for (let node = samples[sample * 2]!; node !== 0; node = nodes[node * 2]!) {
      if (depth === path.length) path = doubled(path);
      const location = nodes[node * 2 + 1]!;
      path[depth++] = location;
      pathSize += varintSize(location);
    }
    if (groups !== null) {
      depth = groups.fold(path, depth);
      pathSize = 0;
      for (let index = 0; index < depth; index++) pathSize += varintSize(path[index]!);
    }
    let valueSize = 0;
    for (let type = 0; type < stride; type++)
      valueSize += varintSize(Math.round(values[sample * stride + type]!));
    const labels = labelBytes[samples[sample * 2 + 1]!]!;
    const size = 2 + varintSize(pathSize) + pathSize + varintSize(valueSize) + valueSize + labels.length;
    writer.reserve(size + 12);
    writer.tag(2, WIRE_BYTES);
    writer.varint(size);
    writer.tag(1, WIRE_BYTES);
    writer.varint(pathSize);
    for (let index = 0; index < depth; index++) writer.varint(path[index]!);
    writer.tag(2, WIRE_BYTES);
    writer.varint(valueSize);
    for (let type = 0; type < stride; type++) writer.varint(Math.round(values[sample * stride + type]!));
    writer.bytes(labels);
  }
}

/** A label set's fields as bytes, the same for all its samples: label 3 { key 1, str 2, num 3, num_unit 4 }. */
function encodeLabels(
  labels: readonly string[],
  numbers: readonly NumericLabel[],
  { strings }: Profile,
): Uint8Array {
  const writer = new ProtobufWriter(64);
  for (let index = 0; index < labels.length; index += 2) {
    writeFields(writer, 3, [1, strings.id(labels[index]!), 2, strings.id(labels[index + 1]!)]);
  }
  for (const { key, value, unit } of numbers) {
    const named = [1, strings.id(key), 3, Math.round(value)];
    writeFields(writer, 3, unit === '' ? named : [...named, 4, strings.id(unit)]);
  }
  return writer.finish();
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(array.length * 2);
  grown.set(array);
  return grown;
}
