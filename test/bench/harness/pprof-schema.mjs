/** google/pprof's profile.proto as a protobuf-es schema, described in code so that no generator is needed. */
import { requirePeer } from './peers.mjs';

const INT64 = 3;
const UINT64 = 4;
const BOOL = 8;
const STRING = 9;
const MESSAGE = 11;
const OPTIONAL = 1;
const REPEATED = 3;

/** Fields by message: name → [number, type or message name, repeated?]. */
const MESSAGES = {
  ValueType: { type: [1, INT64], unit: [2, INT64] },
  Label: { key: [1, INT64], str: [2, INT64], num: [3, INT64], num_unit: [4, INT64] },
  Sample: { location_id: [1, UINT64, true], value: [2, INT64, true], label: [3, 'Label', true] },
  Mapping: {
    id: [1, UINT64],
    memory_start: [2, UINT64],
    memory_limit: [3, UINT64],
    file_offset: [4, UINT64],
    filename: [5, INT64],
    build_id: [6, INT64],
    has_functions: [7, BOOL],
    has_filenames: [8, BOOL],
    has_line_numbers: [9, BOOL],
    has_inline_frames: [10, BOOL],
  },
  Line: { function_id: [1, UINT64], line: [2, INT64] },
  Location: {
    id: [1, UINT64],
    mapping_id: [2, UINT64],
    address: [3, UINT64],
    line: [4, 'Line', true],
    is_folded: [5, BOOL],
  },
  Function: {
    id: [1, UINT64],
    name: [2, INT64],
    system_name: [3, INT64],
    filename: [4, INT64],
    start_line: [5, INT64],
  },
  Profile: {
    sample_type: [1, 'ValueType', true],
    sample: [2, 'Sample', true],
    mapping: [3, 'Mapping', true],
    location: [4, 'Location', true],
    function: [5, 'Function', true],
    string_table: [6, STRING, true],
    drop_frames: [7, INT64],
    keep_frames: [8, INT64],
    time_nanos: [9, INT64],
    duration_nanos: [10, INT64],
    period_type: [11, 'ValueType'],
    period: [12, INT64],
    comment: [13, INT64, true],
    default_sample_type: [14, INT64],
  },
};

export function profileSchema() {
  const { create, createFileRegistry } = requirePeer('@bufbuild/protobuf');
  const { FileDescriptorProtoSchema } = requirePeer('@bufbuild/protobuf/wkt');
  const file = create(FileDescriptorProtoSchema, {
    name: 'profile.proto',
    package: 'perftools.profiles',
    syntax: 'proto3',
    messageType: Object.entries(MESSAGES).map(([name, fields]) => ({
      name,
      field: Object.entries(fields).map(([field, [number, type, repeated = false]]) => ({
        name: field,
        jsonName: field,
        number,
        label: repeated ? REPEATED : OPTIONAL,
        type: typeof type === 'string' ? MESSAGE : type,
        typeName: typeof type === 'string' ? `.perftools.profiles.${type}` : '',
      })),
    })),
  });
  const registry = createFileRegistry(file, () => undefined);
  return registry.getMessage('perftools.profiles.Profile');
}
