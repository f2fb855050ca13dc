/**
 * The CPU profile of the whole run, kept without any server.
 *
 * RINGTAIL_OUT: it is written at exit, at a signal that asks for it, and, because a killed process has no exit, from time
 * to time before: to a file beside it first, then renamed, so that what is there is always whole. %p stands for the
 * process id; where a file of that name is there already, the id is added to it. RINGTAIL_SUMMARY: the functions that
 * took most, on stderr at exit.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, parse, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodePprof } from '../../collector/profile/pprof';
import type { Profile } from '../../collector/profile/profile';
import { type Settled, settleCpu, settledWords } from '../../collector/profile/settle';
import { summaryOf } from '../../collector/profile/summary';
import { aboutComments } from './profiles/about-comments';
import type { ProfileContext } from './profiles/context';
import { LocalTicks } from './profiles/local-ticks';
import type { MainClock } from './profiles/main-clock';
import { commentsOf } from './profiles/ticks';

/** Writing takes this share of the agent thread's time at most, and is not done more often than that, ms. */
const WRITE_SHARE = 0.002;
const WRITE_EVERY_MIN_MILLIS = 10_000;
/** Before, at this age of the run and whenever it has doubled: what is killed soon leaves a file, too. */
const FIRST_WRITE_MILLIS = 1000;
/** Where there is no clock. */
const NOTHING_SETTLED: Settled = { waitedNanos: 0, starvedNanos: 0 };

export type RunProfileOptions = { outFile: string; summary: boolean };

export class RunProfile {
  /** '' for no file. */
  path: string;
  readonly #context: ProfileContext;
  readonly #ticks: LocalTicks;
  readonly #summary: boolean;
  readonly #say: (text: string) => void;
  readonly #clock: MainClock;
  #everyMillis = FIRST_WRITE_MILLIS;
  readonly #startedMillis = performance.now();
  #writtenMillis = performance.now();
  #failed = false;
  /** The file at the path is this process's. */
  #isOurs = false;

  /** clock: since sampling began. say: one line for people. */
  constructor(
    context: ProfileContext,
    { outFile, summary }: RunProfileOptions,
    clock: MainClock,
    say: (text: string) => void,
  ) {
    this.#context = context;
    this.#summary = summary;
    this.#clock = clock;
    this.#say = say;
    const asked = outFile === '' ? '' : resolve(outFile.replaceAll('%p', String(process.pid)));
    this.path = asked === '' ? '' : freePath(asked);
    if (this.path !== asked) say(`${asked} is there already: the profile goes to ${this.path}`);
    this.#ticks = new LocalTicks('cpu', context.identity, context.dictionary, Date.now());
    context.sampling.listeners.add((window, periodNanos, lostTicks) => {
      this.#ticks.add(window, periodNanos, lostTicks);
      if (this.path !== '' && performance.now() - this.#writtenMillis > this.#everyMillis)
        this.#settled((profile) => this.#write(profile));
    });
  }

  /** At a signal, with the ticks up to now. Never throws. */
  async writeNow(): Promise<void> {
    if (this.path === '') return;
    await this.#context.sampling.upToDate();
    this.#settled((profile) => this.#write(profile));
    if (!this.#failed) this.#say(`the profile so far is in ${this.path}`);
  }

  /** At exit. Never throws. */
  end(): void {
    this.#settled((profile) => {
      this.#write(profile);
      if (this.#summary) this.#say(summaryOf(profile, this.#context.sampling.savedMicros));
    });
  }

  /**
   * Gives the profile so far, held against the CPU clock as the captures are. What the clock says in the end is not known
   * before, so the samples are kept as they were.
   */
  #settled(use: (profile: Profile) => void): void {
    const { profile, owner, sums } = this.#ticks;
    const { clockedMicros, sampledMicros } = this.#clock.read();
    const sampled = profile.values.slice();
    profile.head.durationNanos = (performance.now() - this.#startedMillis) * 1e6;
    const settled =
      sampledMicros === null
        ? NOTHING_SETTLED
        : settleCpu(profile, this.#ticks.isOf(owner, 0), sums, sampledMicros * 1000);
    profile.head.comments = [
      ...settledWords(settled),
      ...commentsOf(this.#ticks, clockedMicros),
      ...aboutComments(this.#context),
    ];
    use(profile);
    for (const [index, value] of sampled.entries()) profile.values[index] = value;
  }

  /** Before the first write: another process of the program, begun at the same time, may have taken the name meanwhile. */
  #claim(): void {
    if (this.#isOurs) return;
    const asked = this.path;
    if (!madeAt(asked)) {
      this.path = ownPath(asked);
      this.#say(`${asked} is there already: the profile goes to ${this.path}`);
    }
    this.#isOurs = true;
  }

  /** A file that cannot be written is told once, and tried again at the next turn. */
  #write(profile: Profile): void {
    if (this.path === '') return;
    const from = performance.now();
    const beside = `${this.path}.${process.pid}.tmp`;
    try {
      writeFileSync(beside, gzipSync(encodePprof(profile), { level: 1 }), { mode: 0o600 });
      this.#claim();
      renameSync(beside, this.path);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#say(`the profile cannot be written: ${(error as Error).message}`);
      this.#failed = true;
      try {
        rmSync(beside, { force: true });
      } catch {
        // Where it could not even be looked for (no folder, no right to it), nothing of it is left.
      }
    }
    this.#writtenMillis = performance.now();
    const ageMillis = this.#writtenMillis - this.#startedMillis;
    this.#everyMillis =
      ageMillis < WRITE_EVERY_MIN_MILLIS
        ? ageMillis
        : Math.max(WRITE_EVERY_MIN_MILLIS, (this.#writtenMillis - from) / WRITE_SHARE);
  }
}

/** False where there is a file of the name. Throws where none can be made. */
function madeAt(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The same name with the process id before its endings, where there is a file of the name already. */
function freePath(path: string): string {
  return existsSync(path) ? ownPath(path) : path;
}

function ownPath(path: string): string {
  const { dir, base } = parse(path);
  const dot = base.indexOf('.', 1);
  const cut = dot < 0 ? base.length : dot;
  return join(dir, `${base.slice(0, cut)}.${process.pid}${base.slice(cut)}`);
}
