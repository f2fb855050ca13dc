/**
 * Figures of anything that works on several things at once and lets the rest wait: worker pools, connection pools,
 * semaphores. Gauges `pool.size`, `pool.busy`, `pool.queued` and histograms `pool.wait.duration`, `pool.run.duration` (µs),
 * each with the label `pool`. Counting goes on while the agent is off, so that the gauges are right when it comes.
 */
import { Gauge, type InstrumentOptions, labelled, optionOf, Timer } from './instruments';
import { refuse } from './refusal';
import { WAIT_NOT_CHOSEN } from './wait-sampler';
import { waitStack } from './wait-stacks';

/** size: how many can work at once. stacks: what its jobs wait is in the mutex profile, by the stack that called enqueue(). */
export type PoolOptions = InstrumentOptions & { size?: number | undefined; stacks?: boolean | undefined };
/** How many can work, how many do, how many jobs wait. What is not known is left out. */
export type PoolFigures = {
  size?: number | undefined;
  busy?: number | undefined;
  queued?: number | undefined;
};

/** Use either its jobs (enqueue, acquire and release), which are counted here, or observe(), where the pool counts by itself. */
export class Pool {
  readonly #sizeGauge: Gauge;
  readonly #busyGauge: Gauge;
  readonly #queuedGauge: Gauge;
  readonly #wait: Timer;
  readonly #run: Timer;
  readonly #stacks: boolean;
  readonly #figures: { size: number | undefined; busy: number; queued: number } = {
    size: undefined,
    busy: 0,
    queued: 0,
  };

  constructor(name: string, options?: PoolOptions) {
    const labels = labelled(options, 'pool', name);
    this.#sizeGauge = new Gauge('pool.size', labels);
    this.#busyGauge = new Gauge('pool.busy', labels);
    this.#queuedGauge = new Gauge('pool.queued', labels);
    this.#wait = new Timer('pool.wait.duration', labels);
    this.#run = new Timer('pool.run.duration', labels);
    this.#stacks = optionOf(options, 'stacks') === true;
    this.#figures.size = optionOf(options, 'size') as number | undefined;
    this.observe({ size: this.#figures.size });
  }

  /** A job that waits from now on: `const job = pool.enqueue(); ... job.start(); ... job.end();`. */
  enqueue(): PoolJob {
    this.#moved(0, 1);
    const waitToken = this.#wait.start();
    const stack = this.#stacks && waitToken !== 0 ? waitStack(this.enqueue, waitToken) : WAIT_NOT_CHOSEN;
    let runToken = 0;
    return new PoolJob({
      started: () => {
        this.#wait.stopWait(waitToken, stack);
        runToken = this.#run.start();
        this.#moved(1, -1);
      },
      ended: () => {
        this.#run.stop(runToken);
        this.#moved(-1, 0);
      },
      cancelled: () => this.#moved(0, -1),
    });
  }

  /** One more is busy, without times: where there is no place to keep a job. */
  acquire(): void {
    this.#moved(1, 0);
  }

  release(): void {
    if (this.#figures.busy > 0) this.#moved(-1, 0);
    else refuse('release', 'a pool releases what it acquired', 'nothing acquired');
  }

  /** Sets what is given, all not negative. */
  observe(figures: PoolFigures): void {
    const set = (gauge: Gauge, figure: 'size' | 'busy' | 'queued') => {
      const value = optionOf(figures, figure);
      if (value !== undefined) gauge.set(value as number);
    };
    set(this.#sizeGauge, 'size');
    set(this.#busyGauge, 'busy');
    set(this.#queuedGauge, 'queued');
  }

  #moved(busy: number, queued: number): void {
    const { size } = this.#figures;
    this.#figures.busy += busy;
    this.#figures.queued += queued;
    this.#busyGauge.set(this.#figures.busy);
    this.#queuedGauge.set(this.#figures.queued);
    // Again each time: the agent may have come after the pool.
    if (size !== undefined) this.#sizeGauge.set(size);
  }
}

type JobSteps = { started(): void; ended(): void; cancelled(): void };

/** One job's way through a pool. Each step counts once. */
export class PoolJob {
  readonly #steps: JobSteps;
  #state: 'waits' | 'runs' | 'over' = 'waits';

  /** @internal */
  constructor(steps: JobSteps) {
    this.#steps = steps;
  }

  /** It no longer waits: its waiting time is recorded. */
  start(): void {
    if (this.#state !== 'waits') return;
    this.#state = 'runs';
    this.#steps.started();
  }

  /** It is done: its running time is recorded. One that was never started has been given up, and only leaves the queue. */
  end(): void {
    const { cancelled, ended } = this.#steps;
    if (this.#state === 'waits') cancelled();
    else if (this.#state === 'runs') ended();
    this.#state = 'over';
  }
}
