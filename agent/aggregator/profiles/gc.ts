/**
 * gc: every collection of some seconds with the heap and its spaces before and after, as text. V8 tells that only while
 * it is asked to (v8.GCProfiler): 12 to 55 µs more in each collection, 20 to 90 µs each to read it, 13 KB each until it is
 * read. Too much for always, so it is done on request, and read twice a second by interrupt, so that neither a hang nor a
 * burst lets it grow. The next window is open before the last one is closed: no collection falls between.
 *
 * GCProfiler gives no times. They come from the ledger, whose entries are the same collections in the same order; where
 * the two do not count alike, that is said, and nothing is guessed.
 */
import { setTimeout as after } from 'node:timers/promises';
import { gcCauseOf, gcTypeOf } from '../../wire/gc';
import type { EventTuple } from '../../wire/schema';
import { MainSilent } from '../heap/heap-session';
import type { ProfileContext } from './context';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

const SECONDS_MAX = 60;
const READ_EVERY_MILLIS = 500;
const ANSWER_MILLIS = 5000;
/** perf_hooks tells of a collection in a later turn, and rings are emptied a few times a second. */
const LEDGER_LAG_MILLIS = 1000;
const COLLECTIONS_MAX = 5000;
const STATUS_REFUSED = 503;
const KIBIBYTE = 1024;

const HOLDER_TEXT = `(function(v){return{GCProfiler:v.GCProfiler,now:process.hrtime.bigint,open:null}})(process.getBuiltinModule('v8'))`;
/** A space's pair of figures is left out where it did not change. */
const READ_TEXT = `function ringtailGcWindow(goOn){var from=this.now(),last=this.open;this.open=null;if(goOn){this.open=new this.GCProfiler();this.open.start()}var all=!last?[]:last.stop().statistics.map(function(s){var b=s.beforeGC,a=s.afterGC;return{type:s.gcType,micros:s.cost,used:[b.heapStatistics.usedHeapSize,a.heapStatistics.usedHeapSize],committed:[b.heapStatistics.totalHeapSize,a.heapStatistics.totalHeapSize],spaces:b.heapSpaceStatistics.map(function(p,i){return[p.spaceName,p.spaceUsedSize,a.heapSpaceStatistics[i].spaceUsedSize]}).filter(function(p){return p[1]!==p[2]})}});return{atMicros:Number(from)/1e3,pauseMicros:Number(this.now()-from)/1e3,collections:all}}`;

type Pair = [before: number, after: number];
/** Bytes before and after. micros: how long, by V8. */
export type ProfiledCollection = {
  type: string;
  micros: number;
  used: Pair;
  committed: Pair;
  spaces: [name: string, before: number, after: number][];
};
type WindowRead = { atMicros: number; pauseMicros: number; collections: ProfiledCollection[] };

export type ProfiledTime = {
  fromMicros: number;
  toMicros: number;
  /** What it cost main to be asked. */
  pauseMicros: number;
  collections: ProfiledCollection[];
  /** There were too many. */
  cutShort: boolean;
};

export function gcSource(context: ProfileContext): ProfileSource {
  let running = false;
  return {
    textOnly: true,
    take: () => Promise.reject(new TakeError(500, 'the collections of some seconds are no profile')),
    describe: async (request) => {
      if (running)
        throw new TakeError(STATUS_REFUSED, 'collections are being watched already, try again later');
      running = true;
      try {
        return await describe(context, request);
      } finally {
        running = false;
      }
    },
  };
}

async function describe(context: ProfileContext, { seconds, signal }: TakeRequest): Promise<string> {
  const { heap, gc } = context;
  if (heap.refusal !== '') throw new TakeError(STATUS_REFUSED, heap.refusal);
  const ledger: EventTuple[] = [];
  const stopListening = gc.listen((event) => ledger.push(event));
  try {
    const time = await profiledTime(context, Math.min(SECONDS_MAX, seconds), signal);
    await after(LEDGER_LAG_MILLIS, undefined, { signal });
    const within = ledger.filter(([, , start]) => start >= time.fromMicros && start < time.toMicros);
    return collectionsText(time, within);
  } catch (error) {
    if (error instanceof MainSilent)
      throw new TakeError(STATUS_REFUSED, `${error.message}: it is stuck in native code`);
    throw error;
  } finally {
    stopListening();
  }
}

async function profiledTime(
  { heap, nowMicros }: ProfileContext,
  seconds: number,
  signal: AbortSignal,
): Promise<ProfiledTime> {
  const holder = await heap.sampler.withSession((session) => session.hold(HOLDER_TEXT, ANSWER_MILLIS));
  const read = (goOn: boolean) =>
    heap.sampler.withSession((session) => session.call<WindowRead>(holder, READ_TEXT, [goOn], ANSWER_MILLIS));
  const time: ProfiledTime = { fromMicros: 0, toMicros: 0, pauseMicros: 0, collections: [], cutShort: false };
  let open = true;
  try {
    const first = await read(true);
    time.fromMicros = first.atMicros;
    time.pauseMicros = first.pauseMicros;
    const untilMicros = nowMicros() + seconds * 1e6;
    while (open) {
      const leftMillis = (untilMicros - nowMicros()) / 1000;
      await after(Math.max(0, Math.min(READ_EVERY_MILLIS, leftMillis)), undefined, { signal });
      time.cutShort = time.collections.length >= COLLECTIONS_MAX;
      const goOn = nowMicros() < untilMicros && !time.cutShort;
      const window = await read(goOn);
      open = goOn;
      time.toMicros = window.atMicros;
      time.pauseMicros += window.pauseMicros;
      time.collections.push(...window.collections);
    }
    return time;
  } finally {
    if (open) read(false).catch(() => {});
    heap.sampler
      .withSession((session) => session.ask('Runtime.releaseObject', { objectId: holder }, ANSWER_MILLIS))
      .catch(() => {});
  }
}

/** One line a collection. ledger: the same time's entries, in order. */
export function collectionsText(time: ProfiledTime, ledger: readonly EventTuple[]): string {
  const { collections, fromMicros, toMicros, pauseMicros, cutShort } = time;
  const paired = ledger.length === collections.length;
  const lines = [
    `# ${collections.length} collections in ${((toMicros - fromMicros) / 1e6).toFixed(2)} s${cutShort ? ', then stopped: too many' : ''}; the ledger has ${ledger.length} of this time`,
    `# freed ${kibibytes(freedBytes(collections))} KiB; asking cost the main thread ${(pauseMicros / 1000).toFixed(2)} ms, and each collection some 50 us`,
    '# at s, pause ms, type (cause); heap used, committed, and every space that changed: KiB before > after',
  ];
  collections.forEach(({ type, micros, used, committed, spaces }, index) => {
    const entry = paired ? ledger[index]! : null;
    const at = entry === null ? '-' : ((entry[2] - fromMicros) / 1e6).toFixed(4);
    const pause = ((entry?.[3] ?? micros) / 1000).toFixed(3);
    const cause = entry === null ? '' : gcCauseOf(entry[5]);
    const name = entry === null ? type : `${gcTypeOf(entry[4])} ${type}`;
    const figures = [`used ${change(used)}`, `committed ${change(committed)}`];
    for (const [space, before, now] of spaces) figures.push(`${space} ${change([before, now])}`);
    lines.push(`${at} ${pause} ${name}${cause === '' ? '' : ` (${cause})`}; ${figures.join(', ')}`);
  });
  return `${lines.join('\n')}\n`;
}

function freedBytes(collections: readonly ProfiledCollection[]): number {
  return collections.reduce((sum, { used: [before, now] }) => sum + Math.max(0, before - now), 0);
}

function change([before, now]: Pair): string {
  return `${kibibytes(before)} > ${kibibytes(now)}`;
}

function kibibytes(bytes: number): string {
  return Math.round(bytes / KIBIBYTE).toString();
}
