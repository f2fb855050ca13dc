/** Everything that can be asked below /debug/pprof/, and what an answer must be to count as one. */
import { gunzipSync } from 'node:zlib';
import type { Answer } from '../clients/targets';
import { readPprof } from '../collector/pprof-reader';

export type Endpoint = {
  path: string;
  /** Statuses that are an answer; 503 says in words why there is none right now. */
  statuses: number[];
  withoutToken?: boolean;
  /** Throws when a 200 is not what it should be. */
  check(answer: Answer): void;
};

const profile = ({ body }: Answer) => {
  if (readPprof(gunzipSync(body)).sampleTypes.length === 0) throw new Error('a profile without sample types');
};
const trace = ({ body, headers }: Answer) => {
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const { traceEvents } = JSON.parse(text.toString()) as { traceEvents: unknown[] };
  if (traceEvents.length === 0) throw new Error('a trace without events');
};
const text = (begins: RegExp) => (answer: Answer) => {
  const words = answer.body.toString();
  if (!begins.test(words)) throw new Error(`it begins with ${JSON.stringify(words.slice(0, 80))}`);
};
const of = (path: string, check: Endpoint['check'], statuses = [200]): Endpoint => ({
  path,
  check,
  statuses,
});

export const ENDPOINTS: readonly Endpoint[] = [
  of('', text(/<html/i)),
  of('cmdline', text(/^everything$/)),
  of('symbol', text(/^num_symbols: 1\n$/)),
  of('profile?seconds=1', profile),
  of('wall?seconds=1', profile),
  of('block', profile),
  of('block?debug=1', text(/^--- contention:/)),
  of('block?seconds=1', profile),
  of('mutex', profile),
  of('mutex?seconds=1', profile),
  of('threadcreate', profile),
  of('threadcreate?seconds=1', profile),
  of('goroutine', profile),
  of('goroutine?debug=1', text(/^goroutine profile: total \d+/)),
  of('goroutine?debug=2', text(/^[\s\S]*goroutine/)),
  of('goroutine?seconds=1', profile),
  // Where the program has no hooks on promises and the line cannot spare them, there is nothing to wait for (README).
  of('asyncwait?seconds=1', profile, [200, 404]),
  of('asyncwait?seconds=1&debug=1', text(/^asyncwait profile: total \d+/), [200, 404]),
  of('heap', profile),
  of('heap?gc=1', profile),
  of('heap?debug=1', text(/^heap profile: /)),
  of('heap?debug=2', text(/^heap in use /)),
  of('heap?seconds=1', profile),
  of('allocs?seconds=1', profile),
  of('gc?seconds=1', text(/\S/)),
  of('pool?seconds=1', profile),
  of('trace?seconds=1', trace),
  of('recorder', trace),
  // No dump has been made yet.
  of('recorder?last=1', trace, [200, 404]),
  { ...of('heapsnapshot', text(/^$/), [401, 403]), withoutToken: true },
];

/** One heap snapshot holds the program up for seconds: once is enough. */
export const SNAPSHOT = of('heapsnapshot', text(/heapsnapshot/));
