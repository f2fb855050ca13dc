/** The figures of a run of everything as one flat row: what a table shows and what is held against bounds. */
import type { Run } from './everything';
import type { MemoryMeter } from './memory-meter';

/** Text or a number by what it is called. */
export type Row = Record<string, string | number>;

const HTTP_REQUESTS = 'http_server_request_duration_seconds_count';
const STALLS = 'nodejs_eventloop_stalls_total';

/** [what it is, what the program counted, what the collectors were told]: equal, or something was lost or came twice. */
export function conserved({
  told,
  load,
  figures: { counts },
}: Run): [what: string, done: number, told: number][] {
  return [
    ['answers', load.answered, told.sum('soak_work_seconds_count')],
    ['requests', counts.requests!, told.sum(HTTP_REQUESTS)],
    ['timings', counts.timed!, told.sum('soak_work_seconds_count')],
    ['orders', counts.orders!, told.sum('soak_orders_total')],
  ];
}

/** By the highest tier that each stall reached: how many the program caused, how many were seen. */
export function stallTiers({
  told,
  figures: { counts },
}: Run): [tier: string, caused: number, seen: number][] {
  const seen = told.byLabel(STALLS, 'tier');
  return [
    ['50ms', counts.stalls60!, seen['50ms'] ?? 0],
    ['200ms', counts.stalls300!, seen['200ms'] ?? 0],
    ['1s', counts.stalls1200!, seen['1s'] ?? 0],
  ];
}

export function rowOf(run: Run): Row {
  const { askers, cost, figures, live, memory, tail, told } = run;
  const notes = (words: RegExp) =>
    [...tail.notes].filter(([text]) => words.test(text)).reduce((sum, [, { count }]) => sum + count, 0);
  const cpu = (part: string) => live.sum('ringtail_instance_cpu_seconds_total', { part });
  const pauses = live.sum('ringtail_instance_rotation_pause_seconds_total');
  const published = cpu('profiler') + pauses + figures.agent.selfMicros / 1e6;
  return {
    node: process.version,
    'ran, s': run.seconds.toFixed(0),
    exit: run.outcome,
    'lines on stderr, not ours': run.strangeLines.length,
    'asked, no answer, not now': `${sumOf(askers, 'asked')}, ${askers.flatMap(({ faults }) => faults).length}, ${sumOf(askers, 'notNow')}`,
    'slowest answer, ms': Math.max(...askers.map(({ slowestMillis }) => slowestMillis)).toFixed(0),
    ...Object.fromEntries(
      conserved(run).map(([what, done, seen]) => [`${what}: done, told`, `${done}, ${seen}`]),
    ),
    'lost, by reason': wordsOf(told.byLabel('ringtail_losses_total', 'reason')),
    'batches, again, gaps': ['batches', 'duplicates', 'gaps']
      .map((name) => told.sum(`ringtail_${name}_total`))
      .join(', '),
    ...Object.fromEntries(
      stallTiers(run).map(([tier, caused, seen]) => [
        `stalls of ${tier}: caused, seen`,
        `${caused}, ${seen}`,
      ]),
    ),
    'workers started, terminated': `${figures.counts.workersStarted}, ${figures.counts.workersTerminated}`,
    'functions compiled': figures.counts.functions!,
    ...memoryRow(memory),
    ...Object.fromEntries(
      Object.entries(cost).map(([phase, { threads, callbacks, others }]) => [
        `${phase}: threads, callbacks, service %`,
        `${threads.toFixed(2)}, ${callbacks.toFixed(2)}, ${others.toFixed(1)}`,
      ]),
    ),
    'cost as published, % of a core': ((100 * published) / run.seconds).toFixed(2),
    'of it pauses, callbacks': `${((100 * pauses) / run.seconds).toFixed(2)}, ${(figures.agent.selfMicros / 1e4 / run.seconds).toFixed(2)}`,
    'sampler: rate changes, restarts': `${notes(/^sampling rate/)}, ${notes(/restart|stuck|anew/)}`,
    'dumps of the recorder': run.dumps.length,
  };
}

function memoryRow(memory: MemoryMeter): Row {
  const names = {
    service: 'service',
    control: 'service without agent',
    collector: 'collector',
    agentHeap: "agent's heap",
  };
  return Object.fromEntries(
    Object.entries(names).map(([name, words]) => {
      const found = memory.of(name);
      const text = found === null ? '-' : `${found.megabytes.toFixed(1)}, ${found.slope.toFixed(1)}`;
      return [`${words}: MB, MB in 10 min`, text];
    }),
  );
}

function sumOf<Key extends string>(all: readonly Record<Key, number>[], key: Key): number {
  return all.reduce((sum, one) => sum + one[key], 0);
}

function wordsOf(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .map(([word, count]) => `${word} ${count}`)
      .join(', ') || 'nothing'
  );
}
