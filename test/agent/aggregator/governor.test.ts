import { describe, expect, it } from 'vitest';
import { ON_MIN_MICROS, REST_MAX_MICROS } from '../../../agent/aggregator/duty-cycle';
import {
  Governor,
  type GovernorStep,
  RATE_MIN_HZ,
  type SamplerNow,
} from '../../../agent/aggregator/governor';

const ON: SamplerNow = {
  sampling: 'on',
  ratePercent: 0,
  restartMicros: 2000,
  restartMaxMicros: 50e3,
  held: false,
};
const DEAR = { ...ON, restartMicros: 200e3 };

/** What a program costs the agent: percent of a core without sampling, CPU of a tick in short and in long windows, a start. */
type Program = { basePercent: number; tickMicros: number; longTickMicros: number; restartMicros: number };

/** A process second by second: what the governor says is done, and what it costs is told to the governor. */
class Simulated {
  readonly governor: Governor;
  program: Program;
  sampling: SamplerNow['sampling'] = 'on';
  held = false;
  steps: { second: number; step: GovernorStep }[] = [];
  costs: number[] = [];
  /** Whether it sampled, by second. */
  on: boolean[] = [];
  #spentMicros = 0;

  constructor(budgetPercent: number, program: Program) {
    this.governor = new Governor(99, budgetPercent);
    this.program = program;
  }

  run(seconds: number): this {
    for (let at = 0; at < seconds; at++) {
      const { basePercent, tickMicros, longTickMicros, restartMicros } = this.program;
      const on = this.sampling === 'on';
      const ticks = on ? this.governor.rateHz : 0;
      const each = this.governor.stretch > 1 ? longTickMicros : tickMicros;
      const cost = basePercent + (ticks * each + this.#spentMicros) / 1e4;
      this.#spentMicros = 0;
      this.costs.push(cost);
      this.on.push(on);
      const step = this.governor.observe(this.costs.length * 1e6, cost, {
        sampling: this.sampling,
        ratePercent: (ticks * each) / 1e4,
        restartMicros,
        restartMaxMicros: 50e3,
        held: this.held,
      });
      if (step === null) continue;
      this.steps.push({ second: this.costs.length, step });
      if (step.step !== 'rest') this.#spentMicros = restartMicros;
      this.sampling = step.step === 'rest' ? 'saving' : 'on';
    }
    return this;
  }

  /** Mean of the last seconds, percent. */
  mean(seconds: number): number {
    return this.costs.slice(-seconds).reduce((sum, cost) => sum + cost, 0) / seconds;
  }

  count(step: GovernorStep['step']): number {
    return this.steps.filter((told) => told.step.step === step).length;
  }
}

describe('what the governor does first', () => {
  it('leaves all as it is inside the budget', () => {
    const { governor, steps } = new Simulated(1, program({ tickMicros: 60, longTickMicros: 60 })).run(1000);
    expect(steps).toEqual([]);
    expect(governor.stretch).toBe(1);
  });

  it('makes windows longer, and no more where that is enough', () => {
    const { governor, steps } = new Simulated(1, program({ tickMicros: 120, longTickMicros: 70 })).run(600);
    expect(governor.stretch).toBe(2);
    expect(steps).toEqual([]);
  });

  it('lowers the rate where it is not, and does not rest', () => {
    const simulated = new Simulated(1, program({ tickMicros: 220, longTickMicros: 150 })).run(600);
    expect(simulated.count('rate')).toBeGreaterThan(0);
    expect(simulated.count('rest')).toBe(0);
    expect(simulated.governor.rateHz).toBeGreaterThan(RATE_MIN_HZ);
    expect(simulated.mean(300)).toBeLessThanOrEqual(1);
  });

  it('does both at once when far over budget, and then keeps the rate for a minute', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 4; second++) expect(governor.observe(second * 1e6, 8, ON)).toBe(null);
    expect(governor.observe(4e6, 8, ON)).toEqual({ step: 'rate', hz: 25 });
    expect(governor.stretch).toBe(2);
    for (let second = 5; second < 64; second++) expect(governor.observe(second * 1e6, 8, ON)).toBe(null);
    expect(governor.observe(64e6, 8, ON)).toEqual({ step: 'rate', hz: RATE_MIN_HZ });
  });

  it('bears a little over budget for ten seconds, not longer', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 12; second++) expect(governor.observe(second * 1e6, 1.2, ON)).toBe(null);
    expect(governor.stretch).toBe(1);
    for (let second = 12; second < 22; second++) expect(governor.observe(second * 1e6, 1.2, ON)).toBe(null);
    expect(governor.stretch).toBe(2);
    expect(governor.observe(22e6, 1.2, ON)).toEqual({ step: 'rate', hz: 74 });
  });

  it('foresees from two rotations that deep stacks will cost too much, while a restart is cheap', () => {
    const deep = { ticks: 10, pauseMicros: 8000, workMicros: 100e3, lengthMicros: 100e3 };
    const shallow = { ticks: 100, pauseMicros: 1000, workMicros: 300e3, lengthMicros: 1e6 };
    const governor = new Governor(99, 1);
    expect(governor.observeRotation(0.1e6, deep, true)).toBe(0);
    expect(governor.observeRotation(0.2e6, shallow, true)).toBe(0);
    expect(governor.observeRotation(0.3e6, deep, true)).toBe(0);
    expect(governor.observeRotation(0.4e6, deep, false)).toBe(0);
    expect(governor.observeRotation(0.5e6, deep, true)).toBe(20);
    expect(governor.observeRotation(0.6e6, deep, true)).toBe(0);
  });
});

describe('a start of the sampler that is dear', () => {
  it('is not asked for where it would hold main up for longer than it may', () => {
    const governor = new Governor(99, 1);
    for (let second = 1; second < 300; second++) expect(governor.observe(second * 1e6, 8, DEAR)).toBe(null);
    expect(governor.stretch).toBe(2);
  });

  it('is asked for once where it is not much too dear, when ten times as much has been overspent', () => {
    const service = program({ basePercent: 0.7, tickMicros: 70, longTickMicros: 65, restartMicros: 75e3 });
    const simulated = new Simulated(1, service).run(3600);
    expect(simulated.count('rate')).toBe(1);
    const [{ second }] = simulated.steps as [{ second: number }];
    const overspent = simulated.costs.slice(0, second).reduce((sum, cost) => sum + (cost - 1) * 1e4, 0);
    expect(overspent).toBeGreaterThanOrEqual(10 * 75e3);
    expect(simulated.mean(3000)).toBeLessThan(1);
    // What does not go with the rate was not held against it, or it would be at a quarter of that.
    expect(simulated.governor.rateHz).toBeGreaterThan(25);
  });

  it('is asked for when as much has been overspent, where main hangs anyway', () => {
    const governor = new Governor(99, 1);
    const hangs = { ...DEAR, restartMaxMicros: 1e6 };
    const steps = Array.from({ length: 10 }, (_, at) => governor.observe((at + 1) * 1e6, 8, hangs));
    // Beyond the budget are 70 ms a second, from the third second on.
    expect(steps.findIndex((step) => step !== null)).toBe(5 - 1);
  });
});

describe('resting for part of the time', () => {
  const deep = program({ tickMicros: 3000, longTickMicros: 1500, basePercent: 0.3, restartMicros: 20e3 });

  it('keeps the mean cost inside the budget, whatever sampling costs', () => {
    for (const longTickMicros of [600, 1500, 5000]) {
      for (const restartMicros of [2000, 50e3]) {
        const simulated = new Simulated(1, { ...deep, longTickMicros, restartMicros }).run(3600);
        expect(simulated.governor.rateHz).toBe(RATE_MIN_HZ);
        expect(simulated.count('rest')).toBeGreaterThan(5);
        expect(simulated.mean(3000)).toBeLessThan(1.1);
        // The starts take a part of it that is small, or resting would be for nothing.
        expect((simulated.count('rest') * restartMicros) / (3600 * 1e4)).toBeLessThan(0.2);
        // No less than it may, or more would be left out than must be; what the beginning cost too much is paid back.
        expect(simulated.mean(3600)).toBeGreaterThan(0.8);
        expect(simulated.mean(3600)).toBeLessThan(1.1);
      }
    }
  });

  it('samples for some seconds at a time, and rests no longer than two minutes', () => {
    const { on } = new Simulated(1, { ...deep, longTickMicros: 20e3 }).run(3600);
    const phases = lengths(on.slice(600, -300));
    expect(Math.min(...phases.on.slice(1, -1)) * 1e6).toBeGreaterThanOrEqual(ON_MIN_MICROS);
    expect(Math.max(...phases.off) * 1e6).toBeLessThanOrEqual(REST_MAX_MICROS + 1e6);
  });

  it('leaves it as soon as the program costs less, and then comes back to the rate it had', () => {
    const simulated = new Simulated(1, deep).run(1200);
    simulated.program = program({ tickMicros: 40, longTickMicros: 40 });
    simulated.run(300);
    expect(simulated.on.slice(-160)).not.toContain(false);
    simulated.run(4000);
    expect(simulated.governor.rateHz).toBe(99);
    expect(simulated.governor.stretch).toBe(1);
    expect(simulated.mean(600)).toBeLessThan(1);
  });

  it('does not begin while somebody waits for ticks, and what that cost is paid back later', () => {
    const simulated = new Simulated(1, deep).run(1200);
    simulated.held = true;
    simulated.sampling = 'on';
    simulated.run(60);
    expect(simulated.on.slice(-60)).not.toContain(false);
    simulated.held = false;
    simulated.run(120);
    expect(simulated.on.slice(-120).filter((on) => on).length).toBeLessThan(40);
    expect(simulated.run(1200).mean(1000)).toBeLessThan(1.1);
  });

  it('pays back all of a capture that cost more than the longest rest is worth', () => {
    const simulated = new Simulated(1, deep).run(1200);
    simulated.held = true;
    simulated.sampling = 'on';
    // 20 Hz at 1.5 ms: 13.8 s of CPU over the budget in all, and a rest of two minutes pays 0.84 s.
    simulated.run(600);
    simulated.held = false;
    expect(simulated.run(2400).mean(3000)).toBeLessThan(1.1);
    expect(Math.max(...lengths(simulated.on.slice(-2400)).off) * 1e6).toBeLessThanOrEqual(
      REST_MAX_MICROS + 1e6,
    );
  });

  it('does not rest where a start would hold main up for too long', () => {
    const simulated = new Simulated(1, { ...deep, restartMicros: 120e3 }).run(1200);
    expect(simulated.steps).toEqual([]);
    const lower = new Simulated(1, { ...deep, restartMicros: 60e3 }).run(1200);
    expect([lower.count('rest'), lower.governor.rateHz]).toEqual([0, RATE_MIN_HZ]);
  });
});

function program(figures: Partial<Program>): Program {
  return { basePercent: 0.2, tickMicros: 60, longTickMicros: 60, restartMicros: 2000, ...figures };
}

/** Seconds of each phase in turn. */
function lengths(on: readonly boolean[]): { on: number[]; off: number[] } {
  const found: { on: number[]; off: number[] } = { on: [], off: [] };
  for (let from = 0, at = 1; at <= on.length; at++) {
    if (at < on.length && on[at] === on[from]) continue;
    found[on[from] ? 'on' : 'off'].push(at - from);
    from = at;
  }
  return found;
}
