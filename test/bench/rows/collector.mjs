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
  const messages = batches.map(({ bytes }) => bytes);
  const bare = batches.map(({ bareBytes }) => bareBytes);
  const results = await alternate([
    ownCollector(messages, samples),
    knowingCollector(messages, bare, samples),
    peerCollector(profiles.map((profile) => pprofOf(profile).encode())),
  ]);
  const scale = 1 / samples;
  const note = `${samples} samples of the recorded service in ${batches.length} messages`;
  return [
    rateRow('collector: samples a second', results.get('ours'), scale, `${note}, each with its dictionary`),
    rateRow(
      'collector: samples a second, names known',
      results.get('ours, names known'),
      scale,
      'the same without dictionaries, into a profile that has the stacks',
    ),
    ...comparisonRows({
      work: 'collector: decode and merge a sample',
      results,
      ours: 'ours',
      peers: [{ name: 'pprof-format', pkg: 'pprof-format', goal: GOAL_RATIO }],
      scale,
    }),
  ];
}

function rateRow(work, nanos, scale, note) {
  const millions = interval(nanos.map((value) => 1000 / (value * scale)));
  return resultRow({
    work,
    unit: 'M/s',
    ours: millions,
    goal: `≥ ${GOAL_MILLIONS} M/s`,
    met: millions[1] >= GOAL_MILLIONS,
    note,
  });
}

function ownCollector(messages, samples) {
  const collect = collector();
  return {
    name: 'ours',
    check: () => assert.equal(collect.all(messages, collect.fresh()).sums.ticks, samples),
    run(count) {
      for (let index = 0; index < count; index++) collect.all(messages, collect.fresh());
    },
  };
}

function knowingCollector(messages, bare, samples) {
  const collect = collector();
  const known = collect.fresh();
  collect.all(messages, known);
  return {
    name: 'ours, names known',
    check: () => assert.equal(collect.all(bare, known).sums.ticks, 2 * samples),
    run(count) {
      for (let index = 0; index < count; index++) collect.all(bare, known);
    },
  };
}

/** What a collector does with messages: decode them, and merge their windows into a profile. */
function collector() {
  const { BatchDecoder, createTables, decodeMessage, Epoch, profileHead, WindowProfile } = loadOurs();
  const tables = createTables();
  const decoder = new BatchDecoder(tables);
  return {
    fresh: () => ({
      epoch: new Epoch(),
      merged: new WindowProfile('wall', profileHead('wall', 'bench', 0), tables),
    }),
    all(messages, { epoch, merged }) {
      for (const bytes of messages) {
        const batch = decoder.batch(decodeMessage(bytes), INSTANCE.agentId, epoch, bytes.length);
        merged.add(batch, INSTANCE, 0, Number.POSITIVE_INFINITY);
      }
      return merged;
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
