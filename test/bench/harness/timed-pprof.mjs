/** The same timed samples as a pprof (one sample a tick, its time as a label) and as OTLP profiles, to compare bytes. */

import { requirePeer } from './peers.mjs';
import { ProtobufMessage } from './protobuf.mjs';

/** Flat view of a V8 profile: the paths of its nodes and the ticks with their times, as the windows have them. */
export function ticksOf(profile) {
  const parents = new Map();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id);
  const ticks = [];
  let at = profile.startTime;
  const left = new Map(profile.nodes.map(({ id, hitCount = 0 }) => [id, hitCount]));
  profile.samples.forEach((id, index) => {
    at += profile.timeDeltas[index];
    if (left.get(id) === 0) return;
    left.set(id, left.get(id) - 1);
    ticks.push({ node: id, atMicros: at });
  });
  const pathOf = (id) => {
    const path = [];
    for (let node = id; node !== undefined && parents.has(node); node = parents.get(node))
      path.push(nodes.get(node).callFrame);
    return path;
  };
  return { ticks, pathOf };
}

/** A pprof-format Profile with one sample a tick, leaf first; `timed` false leaves times out. */
export function pprofOf(profile, timed = true) {
  const pprof = requirePeer('pprof-format');
  const { Label, Line, Location, Profile, Sample, StringTable, ValueType } = pprof;
  const strings = new StringTable();
  const locations = new Map();
  const functions = [];
  const stacks = new Map();
  const { ticks, pathOf } = ticksOf(profile);
  const locationOf = ({ functionName, url, lineNumber, columnNumber }) => {
    const key = `${functionName}\n${url}\n${lineNumber}\n${columnNumber}`;
    const known = locations.get(key);
    if (known !== undefined) return known.id;
    const id = locations.size + 1;
    const name = strings.dedup(functionName || '(anonymous)');
    functions.push(
      new pprof.Function({
        id,
        name,
        systemName: name,
        filename: strings.dedup(url),
        startLine: lineNumber + 1,
      }),
    );
    locations.set(key, new Location({ id, line: [new Line({ functionId: id, line: lineNumber + 1 })] }));
    return id;
  };
  const stackOf = (node) => {
    if (!stacks.has(node)) stacks.set(node, pathOf(node).map(locationOf));
    return stacks.get(node);
  };
  const timeLabel = timed ? strings.dedup('end_timestamp_ns') : 0;
  const sample = ticks.map(({ node, atMicros }) => {
    const label = timed ? [new Label({ key: timeLabel, num: Math.round(atMicros * 1000) })] : [];
    return new Sample({ locationId: stackOf(node), value: [1], label });
  });
  const type = new ValueType({ type: strings.dedup('sample'), unit: strings.dedup('count') });
  return new Profile({
    sampleType: [type],
    sample,
    location: [...locations.values()],
    function: functions,
    stringTable: strings,
    timeNanos: Math.round(profile.startTime * 1000),
    durationNanos: Math.round((profile.endTime - profile.startTime) * 1000),
    periodType: type,
    period: 10_101_000,
  });
}

/** OTLP's ProfilesData (v1development of 2025): tables once, a sample a stack with its timestamps. */
export function otlpBytesOf(profile) {
  const { ticks, pathOf } = ticksOf(profile);
  const strings = new Map([['', 0]]);
  const stringOf = (text) => {
    if (!strings.has(text)) strings.set(text, strings.size);
    return strings.get(text);
  };
  const functions = new Map();
  const functionOf = ({ functionName, url, lineNumber, columnNumber }) => {
    const key = `${functionName}\n${url}\n${lineNumber}\n${columnNumber}`;
    if (!functions.has(key))
      functions.set(key, [functions.size + 1, stringOf(functionName), stringOf(url), lineNumber + 1]);
    return functions.get(key)[0];
  };
  const stacks = new Map();
  for (const { node, atMicros } of ticks) {
    if (!stacks.has(node)) stacks.set(node, { locations: pathOf(node).map(functionOf), times: [] });
    stacks.get(node).times.push(BigInt(Math.round(atMicros * 1000)));
  }
  const data = new ProtobufMessage();
  data.message(1, (resource) =>
    resource.message(2, (scope) =>
      scope.message(2, (told) => {
        [...stacks.values()].forEach(({ times }, index) => {
          told.message(2, (sample) => sample.integer(1, index + 1).packedFixed64(5, times));
        });
      }),
    ),
  );
  data.message(2, (dictionary) => {
    for (const [id] of functions.values()) {
      dictionary.message(2, (location) => location.message(3, (line) => line.integer(1, id).integer(2, 1)));
    }
    for (const [, name, file, line] of functions.values()) {
      dictionary.message(3, (entry) => entry.integer(1, name).integer(3, file).integer(4, line));
    }
    for (const text of strings.keys()) dictionary.text(5, text);
    for (const { locations } of stacks.values()) dictionary.message(7, (stack) => stack.packed(1, locations));
  });
  return data.finish();
}
