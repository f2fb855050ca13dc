/**
 * Writing a profile of 10,000 nodes as pprof, before gzip: ours, pprof-format's, and protobuf-es on a schema of the same.
 * `go tool pprof` must name the same functions with the same values, and the same total.
 */
import assert from 'node:assert';
import { loadOurs } from '../harness/bundle.mjs';
import { goTop } from '../harness/go.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { profileSchema } from '../harness/pprof-schema.mjs';
import { seededRandom } from '../harness/random.mjs';
import { comparisonRows } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';

const NODES = 10_000;
const FUNCTIONS = 1500;
const PERIOD_NANOS = 10_101_010;

export async function measure() {
  const { profile: own, flat } = buildOwn();
  const { Profile } = requirePeer('pprof-format');
  const bytes = loadOurs().encodePprof(own);
  const theirs = Profile.decode(bytes);
  assert.equal(theirs.sample.length, NODES);
  const seen = goTop(bytes, 'samples');
  if (seen !== null) {
    assert.equal(seen.total, NODES);
    for (const [name, value] of flat) assert.equal(seen.flat.get(name), value, name);
  }
  const { create, toBinary, fromBinary } = requirePeer('@bufbuild/protobuf');
  const schema = profileSchema();
  const message = fromBinary(schema, bytes);
  assert.equal(message.sample.length, NODES);
  assert.equal(Profile.decode(toBinary(schema, create(schema, message))).sample.length, NODES);
  const { encodePprof } = loadOurs();
  const results = await alternate([
    {
      name: 'ours',
      run(count) {
        for (let index = 0; index < count; index++) encodePprof(own);
      },
    },
    {
      name: 'pprof-format',
      check: () => assert.equal(Profile.decode(theirs.encode()).sample.length, NODES),
      run(count) {
        for (let index = 0; index < count; index++) theirs.encode();
      },
    },
    {
      name: 'protobuf-es',
      run(count) {
        for (let index = 0; index < count; index++) toBinary(schema, message);
      },
    },
  ]);
  const peers = [
    { name: 'pprof-format', pkg: 'pprof-format', goal: 1 },
    { name: 'protobuf-es', pkg: '@bufbuild/protobuf' },
  ];
  return comparisonRows({
    work: `write pprof of ${NODES} nodes`,
    unit: 'ms',
    results,
    ours: 'ours',
    peers,
    scale: 1e-6,
    note: `${bytes.length} bytes; read back by pprof-format and protobuf-es; ${seen === null ? 'go is not installed: NOT shown to go tool pprof' : `go tool pprof names the same ${flat.size} functions and total`}`,
  });
}

/** A call tree in which every node has a sample of its own, and how many samples each function has. */
function buildOwn() {
  const { Profile, profileHead } = loadOurs();
  const profile = new Profile(profileHead('cpu', 'bench', 1_700_000_000_000));
  const random = seededRandom(17);
  const nodes = [0];
  const flat = new Map();
  for (let made = 0; nodes.length <= NODES; made++) {
    const parent = nodes[Math.floor(nodes.length * (1 - random() ** 2))] ?? 0;
    const id = Math.floor(random() * FUNCTIONS);
    const entry = profile.function(`function${id}`, `function${id}`, `/app/file${id % 90}.js`, 10 + id);
    const node = profile.node(parent, profile.location(entry, 11 + (made % 40)));
    if (node <= nodes.length - 1) continue;
    nodes.push(node);
    profile.add(node, 0, [1, PERIOD_NANOS]);
    flat.set(`function${id}`, (flat.get(`function${id}`) ?? 0) + 1);
  }
  return { profile, flat };
}
