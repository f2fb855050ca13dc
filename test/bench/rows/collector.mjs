/**
 * What the collector does with samples: decoding messages off the wire, and merging their windows into one profile;
 * against pprof-format, which decodes the same timed samples from pprof and has them merged by name here.
 */
import assert from 'node:assert';
import { loadOurs } from '../harness/bundle.mjs';
import { requirePeer } from '../harness/peers.mjs';
import { encodeBatches, recordedProfiles } from '../harness/recorded.mjs';
import { comparisonRows, resultRow } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';
import { interval } from '../harness/statistics.mjs';
import { pprofOf } from '../harness/timed-pprof.mjs';

const GOAL_MILLIONS = 10;
const GOAL_RATIO = 10;
const INSTANCE = { agentId: '0'.repeat(32), service: 'bench', instance: 'bench:1', labels: [] };

export async function measure() {
  const profiles = recordedProfiles('service');
  const batches = encodeBatches(profiles);
  const samples = batches.reduce((sum, batch) => sum + batch.samples, 0);
  const results = await alternate([
    ownCollector(
      batches.map(({ bytes }) => bytes),
      samples,
    ),
    peerCollector(profiles.map((profile) => pprofOf(profile).encode())),
  ]);
  const scale = 1 / samples;
  const perSample = results.get('ours').map((nanos) => nanos * scale);
  const millions = interval(perSample.map((nanos) => 1000 / nanos));
  const work = 'collector: decode and merge a sample';
  const peers = [{ name: 'pprof-format', pkg: 'pprof-format', goal: GOAL_RATIO }];
  return [
    resultRow({
      work: 'collector: samples a second',
      unit: 'M/s',
      ours: millions,
      goal: `≥ ${GOAL_MILLIONS} M/s`,
      met: millions[1] >= GOAL_MILLIONS,
      note: `${samples} samples of the recorded service in ${batches.length} messages, each with its dictionary`,
    }),
    ...comparisonRows({ work, results, ours: 'ours', peers, scale }),
  ];
}

function ownCollector(messages, samples) {
  const { BatchDecoder, createTables, decodeMessage, Epoch, profileHead, WindowProfile } = loadOurs();
  const tables = createTables();
  const decoder = new BatchDecoder(tables);
  const once = () => {
    const epoch = new Epoch();
    const merged = new WindowProfile('wall', profileHead('wall', 'bench', 0), tables);
    for (const bytes of messages) {
      const batch = decoder.batch(decodeMessage(bytes), INSTANCE.agentId, epoch, bytes.length);
      merged.add(batch, INSTANCE, 0, Number.POSITIVE_INFINITY);
    }
    return merged;
  };
  return {
    name: 'ours',
    check: () => assert.equal(once().sums.ticks, samples),
    run(count) {
      for (let index = 0; index < count; index++) once();
    },
  };
}

function peerCollector(pprofs) {
  const { Profile } = requirePeer('pprof-format');
  return {
    name: 'pprof-format',
    check: () => assert.ok(mergeByName(pprofs.map((bytes) => Profile.decode(bytes))).size > 0),
    run(count) {
      for (let index = 0; index < count; index++) mergeByName(pprofs.map((bytes) => Profile.decode(bytes)));
    },
  };
}

/** Stack → count. Locations are named once a profile, as any merge of pprof files has to. */
function mergeByName(profiles) {
  const stacks = new Map();
  const ids = new Map();
  for (const { sample, location, function: functions, stringTable } of profiles) {
    const texts = stringTable.strings;
    const functionOf = new Map(functions.map((entry) => [entry.id, entry]));
    const idOf = new Map(
      location.map(({ id, line: [line] }) => {
        const { name, filename } = functionOf.get(line.functionId);
        const key = `${texts[Number(name)]}\n${texts[Number(filename)]}\n${line.line}`;
        if (!ids.has(key)) ids.set(key, ids.size);
        return [id, ids.get(key)];
      }),
    );
    for (const { locationId, value } of sample) {
      const stack = locationId.map((id) => idOf.get(id)).join(' ');
      stacks.set(stack, (stacks.get(stack) ?? 0) + Number(value[0]));
    }
  }
  return stacks;
}
