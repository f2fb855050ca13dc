/** A client that asks a server of profiles for everything in turn, and holds every answer against what it should be. */
import type { Target } from '../clients/targets';
import { ENDPOINTS, type Endpoint } from './endpoints';

/** An answer that takes longer is none. */
const ANSWER_MILLIS = 30_000;
/** The program was stuck in native code, or somebody else was at it: said in words. */
const NOT_NOW = 503;

export class Asker {
  asked = 0;
  notNow = 0;
  readonly answered = new Set<string>();
  /** What was no answer, in words; not while the other side was away. */
  readonly faults: string[] = [];
  /** ms of the slowest answer. */
  slowestMillis = 0;
  #next = 0;

  /** isAway: the other side cannot answer right now. timesAway: how often it has been. */
  constructor(
    readonly target: () => Target,
    readonly away: { isAway(): boolean; times(): number } = { isAway: () => false, times: () => 0 },
    readonly endpoints: readonly Endpoint[] = ENDPOINTS,
  ) {}

  get missing(): string[] {
    return this.endpoints.map(({ path }) => path).filter((path) => !this.answered.has(path));
  }

  /** Resolves when the next one has answered; it stays the next one while the other side is away. */
  async askNext(): Promise<void> {
    const answers = await this.ask(this.#nextEndpoint());
    if (answers || !this.away.isAway()) this.#next++;
  }

  /** In turn; from the second round on only those that have not answered, while there are any: "not now" costs no round. */
  #nextEndpoint(): Endpoint {
    const { length } = this.endpoints;
    const isFirstRound = this.#next < length;
    while (
      !isFirstRound &&
      this.missing.length > 0 &&
      this.answered.has(this.endpoints[this.#next % length]!.path)
    )
      this.#next++;
    return this.endpoints[this.#next % length]!;
  }

  /** False where there was no answer, or only one that says why there is none. */
  async ask(endpoint: Endpoint): Promise<boolean> {
    const { path, statuses, withoutToken = false } = endpoint;
    const target = this.target();
    const [wasAway, times] = [this.away.isAway(), this.away.times()];
    const begin = performance.now();
    this.asked++;
    try {
      const answer = await inTime(target.ask(path, { withoutToken }));
      this.slowestMillis = Math.max(this.slowestMillis, performance.now() - begin);
      if (answer.status === NOT_NOW && answer.body.length > 0) this.notNow++;
      else if (!statuses.includes(answer.status))
        throw new Error(`${answer.status} ${answer.body.toString('utf8', 0, 200)}`);
      else if (answer.status === 200) endpoint.check(answer);
      if (answer.status === NOT_NOW) return false;
      this.answered.add(path);
      return true;
    } catch (error) {
      if (!wasAway && this.away.times() === times)
        this.faults.push(`${target.name} ${path}: ${(error as Error).message}`);
      return false;
    }
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`no answer in ${ANSWER_MILLIS} ms`)), ANSWER_MILLIS);
    answer.then(done, failed).finally(() => clearTimeout(late));
  });
}
