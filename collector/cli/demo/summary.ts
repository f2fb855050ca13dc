/** What a demo saw, told at its end: added up from the tail's lines, so it is what any client of the tail would get. */
import type { TailLine, TailSecond } from '../../tail/schema';
import { bytesText, clockText, countText, millisText, percentText } from '../figures';
import { hotName, stackText } from '../plain';
import type { LoadCounts } from './load';

const HOT_SHOWN = 5;
const STALLS_SHOWN = 5;
const FUNCTIONS_MAX = 1000;

/** Over the whole run, in ms; null when no collection was seen. */
export type PauseQuantiles = { p50: number; p99: number } | null;

export class DemoSummary {
  #seconds = 0;
  #requests = 0;
  #ticks = 0;
  #gcCount = 0;
  #gcMaxMillis = 0;
  #cpuPercentSum = 0;
  #agentPercentSum = 0;
  #cpuSeconds = 0;
  #rssBytes = 0;
  readonly #stalls: TailSecond['stalls'] = [];
  #stallCount = 0;
  readonly #lost = new Map<string, number>();
  /** Weighted by ticks: percent of a second with few samples must not count like one with many. */
  readonly #hot = new Map<string, { selfTicks: number; totalTicks: number }>();

  get seconds(): number {
    return this.#seconds;
  }

  add(line: TailLine): void {
    if (line.type !== 'second') return;
    this.#seconds++;
    this.#requests += line.http.requestsPerSecond;
    this.#ticks += line.sampler.ticks;
    this.#gcCount += line.gc.count;
    this.#gcMaxMillis = Math.max(this.#gcMaxMillis, line.gc.maxMillis);
    this.#rssBytes = line.memory.rssBytes;
    if (line.cpu.processPercent !== null) {
      this.#cpuSeconds++;
      this.#cpuPercentSum += line.cpu.processPercent;
      this.#agentPercentSum += line.cpu.agentPercent ?? 0;
    }
    this.#stallCount += line.stalls.length;
    this.#stalls.push(...line.stalls.slice(0, STALLS_SHOWN - this.#stalls.length));
    for (const { reason, count } of line.drops) this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + count);
    for (const hot of line.hot) this.#addHot(hotName(hot), hot, line.sampler.ticks);
  }

  lines(load: LoadCounts, pauses: PauseQuantiles): string[] {
    const cpu = this.#cpuSeconds === 0 ? null : this.#cpuPercentSum / this.#cpuSeconds;
    const agent = this.#cpuSeconds === 0 ? null : this.#agentPercentSum / this.#cpuSeconds;
    const lost = [...this.#lost].map(([reason, count]) => `${countText(count)} ${reason}`).join(', ');
    return [
      `summary of ${this.#seconds} seconds`,
      `  requests   ${countText(this.#requests)} seen by the agent; the load sent ${countText(load.sent)}, ${countText(load.failed)} failed, ${countText(load.leftOut)} left out`,
      `  samples    ${countText(this.#ticks)} ticks`,
      ...this.#hotLines(),
      `  stalls     ${this.#stallCount === 0 ? 'none' : countText(this.#stallCount)}`,
      ...this.#stalls.map(
        (s) =>
          `    ${clockText(s.startMillis)}  ${millisText(s.forMillis)}  ${s.kind}  ${stackText(s.stack)}`,
      ),
      `  gc pauses  ${countText(this.#gcCount)}: p50 ${millisText(pauses?.p50 ?? null)}, p99 ${millisText(pauses?.p99 ?? null)}, max ${millisText(this.#gcMaxMillis)}`,
      `  lost       ${lost === '' ? 'nothing' : lost}`,
      `  cost       service ${percentText(cpu)} of a core, ringtail's threads ${percentText(agent)} of a core, rss ${bytesText(this.#rssBytes)}`,
    ];
  }

  #addHot(name: string, hot: TailSecond['hot'][number], ticks: number): void {
    const known = this.#hot.get(name) ?? { selfTicks: 0, totalTicks: 0 };
    known.selfTicks += (hot.selfPercent / 100) * ticks;
    known.totalTicks += (hot.totalPercent / 100) * ticks;
    if (this.#hot.has(name) || this.#hot.size < FUNCTIONS_MAX) this.#hot.set(name, known);
  }

  #hotLines(): string[] {
    const all = [...this.#hot].sort(([, a], [, b]) => b.selfTicks - a.selfTicks).slice(0, HOT_SHOWN);
    return [
      '  hottest    self   total',
      ...all.map(([name, { selfTicks, totalTicks }]) => {
        const self = percentText((100 * selfTicks) / Math.max(1, this.#ticks)).padStart(7);
        const total = percentText((100 * totalTicks) / Math.max(1, this.#ticks)).padStart(7);
        return `          ${self} ${total}  ${name}`;
      }),
    ];
  }
}
