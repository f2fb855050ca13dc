/**
 * The recorded workloads and what the agent makes of them: ticks of one window after the other, with the dictionary
 * they share, and the messages that would leave.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadOurs } from './bundle.mjs';
import { WORKLOADS } from './folders.mjs';

export const WORKLOAD_NAMES = ['service', 'compile', 'churn'];
const TAG_BATCH = 7;
/** Of the recorded profiles: programs/record-profiles.cjs. */
const INTERVAL_MICROS = 10_101;
const NO_SCRIPTS = {
  textOf: () => null,
  linesOf: () => '',
  importsOf: () => [],
  exportsOf: () => new Set(),
  isLarge: () => false,
  valuesOf: () => new Set(),
};

/** V8's profiles, one a window. */
export function recordedProfiles(name) {
  return JSON.parse(gunzipSync(readFileSync(join(WORKLOADS, `${name}.json.gz`))).toString());
}

/** { windows, dictionary, tables }: the windows as the agent reads them. Leaves are not repaired: no script is there. */
export function readWindows(profiles) {
  const ours = loadOurs();
  const tables = ours.createTables();
  const dictionary = new ours.Dictionary(tables);
  let end = 0;
  const windows = profiles.map((profile) => {
    const window = ours.readProfile(profile, end, dictionary, new ours.InlinedCallees(NO_SCRIPTS));
    end = profile.endTime;
    return window;
  });
  return { windows, dictionary, tables };
}

/**
 * One BATCH a window, as bytes; the dictionary's growth is in the first that needs it. bareBytes: the same without it, for a
 * receiver that knows the names.
 */
export function encodeBatches(profiles) {
  const ours = loadOurs();
  const tables = ours.createTables();
  const dictionary = new ours.Dictionary(tables);
  let end = 0;
  return profiles.map((profile, sequence) => {
    const window = ours.readProfile(profile, end, dictionary, new ours.InlinedCallees(NO_SCRIPTS));
    end = profile.endTime;
    const queue = new ours.WindowQueue(tables);
    queue.add(window, INTERVAL_MICROS);
    const [tuple] = queue.take(1);
    const message = [
      TAG_BATCH,
      1,
      sequence,
      window.startMicros,
      end,
      dictionary.takeNew(),
      [tuple],
      [],
      [],
      [],
      [],
      null,
    ];
    const bare = message.with(5, null);
    const bareBytes = ours.encodeMessage(bare);
    return {
      bytes: ours.encodeMessage(message),
      bareBytes,
      columnBytes: tuple.at(-1).length,
      samples: window.stack.length,
    };
  });
}
