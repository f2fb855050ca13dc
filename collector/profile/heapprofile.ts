/**
 * .heapprofile files: the JSON of V8's sampling heap profiler, as Chrome DevTools and `node --heap-prof` write and read
 * it. A tree of call frames, each with the bytes that were allocated there and are (or were) in use; selfSize is the
 * sum, `samples` the parts of it. Numbers of objects are not in it. Lines within a function and labels have no place.
 */
import { callFrameOf, frameLocation, type PlacedFrame, ROOT_FRAME, readCallFrame } from './call-frame';
import { type FunctionTree, functionTree } from './function-tree';
import { type JsonRecord, numberOf, optionalListOf, recordOf } from './json-value';
import { Profile } from './profile';
import { broken, unfit } from './profile-error';
import { checkCount, PROFILE_ENTRIES_MAX, STACK_FRAMES_MAX } from './profile-limits';
import { isBytes, typeName } from './value-type';

const FORMAT = '.heapprofile';

export function decodeHeapprofile(json: unknown): Profile {
  const file = recordOf(FORMAT, 'the file', json);
  const profile = new Profile({
    sampleTypes: [{ type: 'inuse_space', unit: 'bytes' }],
    periodType: { type: 'space', unit: 'bytes' },
    period: 0,
    startMillis: 0,
    durationNanos: 0,
    program: '',
    comments: [],
  });
  const pending = [{ node: recordOf(FORMAT, 'head', file.head), parent: 0, depth: 0 }];
  let count = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    checkCount(FORMAT, 'nodes', ++count, PROFILE_ENTRIES_MAX);
    checkCount(FORMAT, 'frames in a stack', next.depth, STACK_FRAMES_MAX);
    const at = addNode(profile, next.node, next.parent, next.depth === 0);
    for (const child of optionalListOf(FORMAT, 'children', next.node.children)) {
      pending.push({ node: recordOf(FORMAT, 'a node', child), parent: at, depth: next.depth + 1 });
    }
  }
  return profile;
}

/** The profile's node of it. */
function addNode(profile: Profile, node: JsonRecord, parent: number, isHead: boolean): number {
  const frame: PlacedFrame = readCallFrame(FORMAT, node.callFrame);
  const bytes = node.selfSize === undefined ? 0 : numberOf(FORMAT, 'selfSize', node.selfSize);
  if (bytes < 0) throw broken(FORMAT, `a selfSize of ${bytes}`);
  const isRoot = isHead && frame.name === ROOT_FRAME;
  const at = isRoot ? parent : profile.node(parent, frameLocation(profile, frame, 0));
  if (bytes > 0) profile.add(at, 0, [bytes]);
  return at;
}

/** valueIndex: which sample type, one of bytes; the default one where it is not given. */
export function encodeHeapprofile(profile: Profile, valueIndex = profile.defaultValueIndex): string {
  const { head, samples, values } = profile;
  const type = head.sampleTypes[valueIndex]!;
  if (!isBytes(type.unit)) {
    throw unfit(`a .heapprofile holds bytes, not ${typeName(type)}: take pprof, speedscope or folded`);
  }
  const tree = functionTree(profile);
  const bytes = new Array<number>(tree.functions.length).fill(0);
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = values[sample * head.sampleTypes.length + valueIndex]!;
    if (value < 0) throw unfit('a .heapprofile cannot hold less than nothing: take pprof or folded');
    bytes[tree.indices[samples[sample * 2]!]!]! += value;
  }
  const parts = bytes.flatMap((size, index) =>
    size > 0 ? [{ size, nodeId: index + 1, ordinal: index + 1 }] : [],
  );
  return `{"head":${treeText(profile, tree, bytes)},"samples":${JSON.stringify(parts)}}`;
}

/** Written without recursion: stacks may be deeper than ours. */
function treeText(profile: Profile, tree: FunctionTree, bytes: readonly number[]): string {
  const scripts = new Map<string, number>();
  const pieces: string[] = [];
  const open: { children: readonly number[]; next: number }[] = [];
  const begin = (index: number) => {
    const callFrame = JSON.stringify(callFrameOf(profile, tree.functions[index]!, scripts));
    pieces.push(`{"callFrame":${callFrame},"selfSize":${bytes[index]},"id":${index + 1},"children":[`);
    open.push({ children: tree.children[index]!, next: 0 });
  };
  begin(0);
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.children.length) {
      pieces.push(']}');
      open.pop();
    } else {
      if (top.next > 0) pieces.push(',');
      begin(top.children[top.next++]!);
    }
  }
  return pieces.join('');
}
