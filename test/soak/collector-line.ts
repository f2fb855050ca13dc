/**
 * The collector's side of the soak: a collector that is stopped and comes back as another process, the link of the agent
 * and of the tail to it, and what both collectors together have been told. Counts are exact over both, because what was
 * not acknowledged is sent again and the link is held before the first one ends.
 */
import { join } from 'node:path';
import { openCollector, type RunningCollector } from '../clients/running';
import { untilConnected } from '../clients/targets';
import { CuttableLink } from './link';
import { fetchMetrics, type Metrics } from './metrics';

/** What the program of the soak is called. */
export const SERVICE = 'everything';

/** Sums over all collectors of a run. */
export type Told = Metrics;

/**
 * Short, so that what is kept has been replaced many times over within the run: memory that grows after that is a leak,
 * and no store that fills.
 */
export const RETENTION_MINUTES = 3;
const WORDS = ['--retention-minutes', String(RETENTION_MINUTES)];

const NODE_WORDS = ['-r', join(__dirname, 'program/collect-garbage.cjs')];

const portOf = (collector: RunningCollector) => Number(new URL(collector.url).port);

/** An agent that has dialled in vain for long does so again after 36 s at the most. */
const DIALS_WITHIN_MILLIS = 60_000;

export class CollectorLine {
  stderr = '';
  readonly exitCodes: (number | null)[] = [];
  /** How often the agent's link has gone down. */
  cuts = 0;
  /** The agent is connected to the collector, as far as we know. */
  isWhole = true;
  #closed = false;
  readonly #past: Metrics[] = [];

  static async open(): Promise<CollectorLine> {
    let line: CollectorLine | null = null;
    const collector = await openCollector(WORDS, (text) => line?.said(text), NODE_WORDS);
    const links = [await CuttableLink.open(portOf(collector)), await CuttableLink.open(portOf(collector))];
    line = new CollectorLine(collector, links[0]!, links[1]!);
    return line;
  }

  private constructor(
    public collector: RunningCollector,
    readonly agentLink: CuttableLink,
    readonly tailLink: CuttableLink,
  ) {}

  said(text: string): void {
    this.stderr += text;
  }

  get agentEnvironment(): Record<string, string> {
    return {
      ...this.collector.agentEnvironment,
      RINGTAIL_COLLECTOR: `ws://127.0.0.1:${this.agentLink.port}`,
    };
  }

  /** The link breaks in the middle of anything, the collector stays. */
  async breakFor(millis: number): Promise<void> {
    this.#down();
    this.agentLink.cut();
    await new Promise((done) => setTimeout(done, millis));
    this.agentLink.restore();
    await this.#whole();
  }

  /** The collector ends, and another comes after a while. */
  async replace(millis: number): Promise<void> {
    this.#down();
    await this.agentLink.hold();
    this.#past.push(await fetchMetrics(this.collector.url));
    this.agentLink.cut();
    this.exitCodes.push(await this.collector.close());
    await new Promise((done) => setTimeout(done, millis));
    this.collector = await openCollector(WORDS, (text) => this.said(text), NODE_WORDS);
    this.agentLink.restore(portOf(this.collector));
    this.tailLink.restore(portOf(this.collector));
    await this.#whole();
  }

  #down(): void {
    this.isWhole = false;
    this.cuts++;
  }

  async #whole(): Promise<void> {
    await untilConnected(this.collector, SERVICE, DIALS_WITHIN_MILLIS);
    this.isWhole = true;
  }

  /** What all collectors have been told. */
  async told(): Promise<Told> {
    const all = [...this.#past, await fetchMetrics(this.collector.url)];
    return {
      sum: (name, labels) => all.reduce((sum, metrics) => sum + metrics.sum(name, labels), 0),
      byLabel: (name, label) => {
        const sums: Record<string, number> = {};
        for (const metrics of all) {
          for (const [word, count] of Object.entries(metrics.byLabel(name, label)))
            sums[word] = (sums[word] ?? 0) + count;
        }
        return sums;
      },
    };
  }

  /** Once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.agentLink.close();
    this.tailLink.close();
    this.exitCodes.push(await this.collector.close());
  }
}
