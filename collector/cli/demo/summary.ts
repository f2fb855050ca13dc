/** What a demo saw, told at its end: from the tail's lines and the collector's metrics, as any client would get them. */
import type { TailLine, TailSecond } from '../../tail/schema';
import { bytesText, clockText, countText, millisText, percentText } from '../figures';
import { hotName, stackText } from '../plain';
import type { LoadCounts } from './load';
import type { MetricsFigures } from './metrics-figures';

const HOT_SHOWN = 5;
const STALLS_SHOWN = 5;
const FUNCTIONS_MAX = 1000;

export class DemoSummary {
  #seconds = 0;
  #spanMillis = 0;
  #ticks = 0;
  #gcMaxMillis = 0;
  /** Percent times ms, and the ms. */
  #cpuPercentSum = 0;
  #agentPercentSum = 0;
  #cpuMillis = 0;
  #rssBytes = 0;
  /** The longest ones. */
  #stalls: TailSecond['stalls'] = [];
  #stallCount = 0;
  readonly #lost = new Map<string, number>();
  /**
   * Self percent of each second, weighted by the CPU time of main in it: a resting or a short second must count for
   * little. No totals: a second's list holds only its hottest, and a caller that is in some of them would add up to too
   * little.
   */
  readonly #hot = new Map<string, number>();
  #weight = 0;

  /** Lines of a second each that came. */
  get seconds(): number {
    return this.#seconds;
  }

  add(line: TailLine): void {
    if (line.type !== 'second') return;
    this.#seconds++;
    this.#spanMillis += line.spanMillis;
    this.#ticks += line.sampler.ticks;
    this.#gcMaxMillis = Math.max(this.#gcMaxMillis, line.gc.maxMillis);
    this.#rssBytes = line.memory.rssBytes;
    if (line.cpu.processPercent !== null) {
      this.#cpuMillis += line.spanMillis;
      this.#cpuPercentSum += line.cpu.processPercent * line.spanMillis;
      this.#agentPercentSum += (line.cpu.agentPercent ?? 0) * line.spanMillis;
    }
    this.#stallCount += line.stalls.length;
    this.#stalls = [...this.#stalls, ...line.stalls]
      .sort((a, b) => b.forMillis - a.forMillis)
      .slice(0, STALLS_SHOWN);
    for (const { reason, count } of line.drops) this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + count);
    const { mainPercent } = line.cpu;
    const cpu = mainPercent === null ? line.sampler.ticks : mainPercent * line.spanMillis;
    const weight = line.hot.length === 0 ? 0 : cpu;
    this.#weight += weight;
    for (const hot of line.hot) this.#addHot(hot, weight);
  }

  /** ranSeconds: how long the demo was watched; its agent tells a little less, as it begins later. */
  lines(ranSeconds: number, load: LoadCounts, figures: MetricsFigures): string[] {
    const cpu = this.#cpuMillis === 0 ? null : this.#cpuPercentSum / this.#cpuMillis;
    const agent = this.#cpuMillis === 0 ? null : this.#agentPercentSum / this.#cpuMillis;
    const lost = [...this.#lost].map(([reason, count]) => `${countText(count)} ${reason}`).join(', ');
    return [
      `summary of ${ranSeconds.toFixed(0)} seconds; the agent told of ${(this.#spanMillis / 1000).toFixed(1)} of them`,
      `  requests   ${countText(figures.requests ?? 0)} seen by the agent; the load sent ${countText(load.sent)}, ${countText(load.failed)} failed, ${countText(load.leftOut)} left out`,
      `  samples    ${countText(this.#ticks)} ticks`,
      ...this.#hotLines(),
      `  stalls     ${this.#stallCount === 0 ? 'none' : `${countText(this.#stallCount)}, the longest:`}`,
      ...this.#stalls.map(
        (s) =>
          `    ${clockText(s.startMillis)}  ${millisText(s.forMillis)}  ${s.kind}  ${stackText(s.stack)}`,
      ),
      `  gc pauses  ${countText(figures.gcPauses ?? 0)}: p50 ${millisText(figures.gcP50Millis)}, p99 ${millisText(figures.gcP99Millis)}, max ${millisText(this.#gcMaxMillis)}`,
      `  lost       ${lost === '' ? 'nothing' : lost}`,
      `  cost       service ${percentText(cpu)} of a core, ringtail's threads ${percentText(agent)} of a core, rss ${bytesText(this.#rssBytes)}`,
    ];
  }

  #addHot(hot: TailSecond['hot'][number], weight: number): void {
    const name = hotName(hot);
    const known = this.#hot.get(name);
    if (known === undefined && this.#hot.size >= FUNCTIONS_MAX) return;
    this.#hot.set(name, (known ?? 0) + hot.selfPercent * weight);
  }

  #hotLines(): string[] {
    if (this.#weight === 0) return ['  hottest    nothing was sampled on CPU'];
    const hottest = [...this.#hot].sort(([, a], [, b]) => b - a).slice(0, HOT_SHOWN);
    return [
      '  hottest    self',
      ...hottest.map(([name, sum]) => `          ${percentText(sum / this.#weight).padStart(7)}  ${name}`),
    ];
  }
}
