/**
 * Everything at once: a service under the agent with everything on, the same service without it beside it for
 * comparison, a collector whose link breaks once and that is once replaced, a tail, and a client that asks for every
 * profile at both servers. Asking and tailing take turns with being left alone, so that the cost of each is known.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { targetOf, untilConnected } from '../clients/targets';
import { Asker } from './asker';
import { CollectorLine, SERVICE, type Told } from './collector-line';
import { CostMeter } from './cost-meter';
import { ENDPOINTS, SNAPSHOT } from './endpoints';
import { SteadyLoad } from './load';
import { MemoryMeter, residentBytesOf } from './memory-meter';
import { type Figures, ServiceProcess } from './service-process';
import { TailProcess } from './tail-process';

const REQUESTS_PER_SECOND = 8;
/** Between an answer and the next question: in a long run, and in a short one. */
const ASK_EVERY_MILLIS = 3000;
const ASK_AT_LEAST_MILLIS = 50;
/** In what turns the agent is looked at; in a short run all of it is asked for. */
const PHASES = ['asked', 'tailed', 'alone'] as const;
const PHASE_SECONDS = 60;
/** How much longer a short run may take on a busy machine until all has been asked for. */
const LATE_SECONDS = 90;
const IDLE_MILLIS = 200;
/** After its goodbye the collector has all that the agent had. */
const SETTLE_MILLIS = 1500;

export type Run = {
  seconds: number;
  outcome: string;
  controlOutcome: string;
  strangeLines: string[];
  collectorStderr: string;
  collectorExitCodes: (number | null)[];
  askers: Asker[];
  tail: TailProcess;
  /** What the collectors were told: shortly before the end, which has the instance's own figures, and after it. */
  live: Told;
  told: Told;
  figures: Figures;
  cost: ReturnType<CostMeter['percents']>;
  memory: MemoryMeter;
  load: SteadyLoad;
  /** Bytes of each file that the agent has written: dumps of the recorder, the profile of the run. */
  dumps: Buffer[];
  runProfile: Buffer;
};

/** isLong: phases take turns and questions are asked at leisure; else everything is asked for without pause. */
export async function runEverything(seconds: number, isLong: boolean): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'everything-'));
  const line = await CollectorLine.open();
  const service = new ServiceProcess(
    { ...line.agentEnvironment, ...environmentOf(folder) },
    join(folder, 'a'),
  );
  const control = new ServiceProcess(null, join(folder, 'b'));
  const closers: (() => unknown)[] = [() => service.kill(), () => control.kill()];
  try {
    await Promise.all([service.begun(), control.begun()]);
    await untilConnected(line.collector, SERVICE);
    return await run({ seconds, isLong, folder, line, service, control, closers });
  } finally {
    for (const close of closers.reverse()) close();
    await line.close().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
}

function environmentOf(folder: string): Record<string, string> {
  return {
    RINGTAIL_SERVICE: SERVICE,
    // What it costs by itself is part of what is measured here.
    RINGTAIL_BUDGET_PERCENT: '1',
    RINGTAIL_PPROF: '127.0.0.1:0',
    RINGTAIL_OUT: join(folder, 'run.pb.gz'),
    RINGTAIL_RECORD_DIR: join(folder, 'dumps'),
    RINGTAIL_ROUTE_LABELS: '1',
    RINGTAIL_HEAP_EVERY_SECONDS: '60',
  };
}

type Stage = {
  seconds: number;
  isLong: boolean;
  folder: string;
  line: CollectorLine;
  service: ServiceProcess;
  control: ServiceProcess;
  closers: (() => unknown)[];
};

async function run({ seconds, isLong, folder, line, service, control, closers }: Stage): Promise<Run> {
  const begin = performance.now();
  const elapsed = () => (performance.now() - begin) / 1000;
  const turns = isLong ? PHASES : PHASES.slice(0, 1);
  const turnSeconds = Math.min(PHASE_SECONDS, seconds / PHASES.length);
  const phase = () => turns[Math.floor(elapsed() / turnSeconds) % turns.length]!;
  const loads = [service, control].map(({ port }) => new SteadyLoad(port, REQUESTS_PER_SECOND));
  const tail = new TailProcess(line.tailLink.port);
  const cost = new CostMeter(
    service.pid,
    service.agentTid,
    phase,
    () => service.figures.at(-1)?.agent.selfMicros ?? 0,
  );
  const bytesNow = () => ({
    service: residentBytesOf(service.pid),
    control: residentBytesOf(control.pid),
    collector: residentBytesOf(line.collector.pid),
    agentHeap: service.figures.at(-1)?.agentHeapBytes ?? null,
  });
  // The second collector begins at a sixth of the run; its store is full some minutes later.
  const memory = new MemoryMeter(bytesNow, Math.max(1000, seconds * 3), { collector: 0.4 });
  closers.push(
    () => void tail.end(),
    () => cost.stop(),
    () => memory.stop(),
  );
  closers.push(...loads.map((load) => () => void load.stop()));

  const askers = askersOf(line, service);
  const allAnswered = () => isLong || askers.every(({ missing }) => missing.length === 0);
  const isOver = () =>
    service.isOver || (elapsed() >= seconds && (allAnswered() || elapsed() >= seconds + LATE_SECONDS));
  const atLeisure = (seconds * 1000) / ENDPOINTS.length / PHASES.length / 2;
  const everyMillis = isLong ? Math.min(ASK_EVERY_MILLIS, atLeisure) : ASK_AT_LEAST_MILLIS;
  await Promise.all([
    ...askers.map((asker) => askUntil(asker, isOver, phase, everyMillis)),
    takeTurns(line, isOver, phase),
    disturbLink(line, seconds),
  ]);
  if (isLong) await askers[0]!.ask(SNAPSHOT);

  await Promise.all(loads.map((load) => load.stop()));
  cost.stop();
  memory.stop();
  const live = await line.told();
  await Promise.all([service.end(), control.end()]);
  await pause(SETTLE_MILLIS);
  const told = await line.told();
  await tail.end();
  await line.close();
  return {
    seconds: elapsed(),
    outcome: service.outcome,
    controlOutcome: control.outcome,
    strangeLines: service.strangeLines,
    collectorStderr: line.stderr,
    collectorExitCodes: line.exitCodes,
    askers,
    tail,
    live,
    told,
    figures: service.figures.at(-1)!,
    cost: cost.percents(),
    memory,
    load: loads[0]!,
    dumps: readdirSync(join(folder, 'dumps')).map((name) => readFileSync(join(folder, 'dumps', name))),
    runProfile: readFileSync(join(folder, 'run.pb.gz')),
  };
}

/** One for the collector, whichever it is right now, and one for the agent's own port. */
function askersOf(line: CollectorLine, service: ServiceProcess): Asker[] {
  const token = line.agentEnvironment.RINGTAIL_TOKEN!;
  const [own = ''] = /http:\S+\/debug\/pprof\//.exec(service.stderr) ?? [];
  const atCollector = () => targetOf('the collector', `${line.collector.url}/debug/pprof/`, token);
  const atAgent = targetOf("the agent's own port", own, token);
  return [
    new Asker(atCollector, { isAway: () => !line.isWhole, times: () => line.cuts }),
    new Asker(() => atAgent),
  ];
}

async function askUntil(asker: Asker, isOver: () => boolean, phase: () => string, everyMillis: number) {
  while (!isOver()) {
    if (phase() === 'asked') await asker.askNext();
    await pause(phase() === 'asked' ? everyMillis : IDLE_MILLIS);
  }
}

/** The tail is connected in all phases but one. */
async function takeTurns({ tailLink }: CollectorLine, isOver: () => boolean, phase: () => string) {
  for (; !isOver(); await pause(IDLE_MILLIS)) {
    if (phase() === 'alone') tailLink.cut();
    else if (!tailLink.isUp) tailLink.restore();
  }
}

/** The collector is replaced early, so that the second one's memory settles; the link breaks late. */
async function disturbLink(line: CollectorLine, seconds: number) {
  const outMillis = (seconds * 1000) / 15;
  await pause(seconds * 100);
  await line.replace(outMillis);
  await pause(seconds * 400);
  await line.breakFor(outMillis);
  await pause(seconds * 200);
}

const pause = (millis: number) => new Promise<void>((done) => setTimeout(done, millis));
