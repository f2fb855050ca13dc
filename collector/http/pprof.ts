/**
 * /debug/pprof/*, as Go programs have it, for `go tool pprof`: index, profile, wall, cmdline, symbol. Parameters beyond
 * Go's choose among many programs: ?service= and ?instance=. Profiles of Go that Node has nothing for answer 404 in
 * words that the client shows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Counters } from '../counters';
import { encodePprof } from '../profile/pprof';
import { type CaptureContext, capture } from '../query/capture';
import { selectAgents } from '../query/selection';
import type { ProfileKind } from '../query/window-profile';
import { escapeHtml, sendFile, sendPage, sendPprofFault, sendText } from './answer';

export const PPROF_PATH = '/debug/pprof/';

const SECONDS_DEFAULT = 30;
/** A capture reads its windows when it is over: they must still be kept then, its first ones too. */
const READ_MILLIS = 30_000;
const CAPTURES_MAX = 64;

/** Profiles of Go's that are not served, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  heap: 'heap profiles are not collected by this version',
  allocs: 'allocation profiles are not collected by this version',
  goroutine: 'Node.js has no goroutines; pending work is not collected by this version',
  block: 'block profiles are not collected by this version',
  mutex: 'Node.js has no mutexes to profile',
  threadcreate: 'thread creation is not collected by this version',
  trace: 'execution traces are not collected by this version',
};

const compress = promisify(gzip);

/** retentionMillis: how long windows are kept. */
export type PprofContext = CaptureContext & { counters: Counters; retentionMillis: number };

export class PprofRoutes {
  #context: PprofContext;
  #running = 0;

  constructor(context: PprofContext) {
    this.#context = context;
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const name = url.pathname.slice(PPROF_PATH.length);
    if (name === '') return sendPage(response, this.#index());
    if (name === 'profile') return this.#profile('cpu', request, response, url);
    if (name === 'wall') return this.#profile('wall', request, response, url);
    if (name === 'cmdline') return this.#commandLine(response, url);
    // One symbol known: profiles carry their names, so nobody has to ask for an address.
    if (name === 'symbol') return sendText(response, 200, 'num_symbols: 1\n');
    const absent = Object.hasOwn(ABSENT, name) ? `: ${ABSENT[name]}` : '';
    sendPprofFault(response, 404, `Unknown profile${absent}`);
  }

  async #profile(
    kind: ProfileKind,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<void> {
    const seconds = secondsOf(url.searchParams.get('seconds'));
    const secondsMax = Math.floor((this.#context.retentionMillis - READ_MILLIS) / 1000);
    if (seconds > secondsMax) {
      const kept = `windows are kept for ${this.#context.retentionMillis / 1000} s`;
      return sendPprofFault(
        response,
        400,
        `profile duration exceeds ${secondsMax} seconds, got ${seconds}: ${kept}`,
      );
    }
    const selection = this.#select(url);
    if (selection.agents === null)
      return sendPprofFault(response, selection.fault.status, selection.fault.text);
    const name = kind === 'cpu' ? 'profile' : 'wall';
    if (request.method === 'HEAD') return sendFile(response, name, null);
    if (this.#running >= CAPTURES_MAX) {
      return sendPprofFault(response, 503, `${CAPTURES_MAX} captures are running already, try again later`);
    }
    const left = new AbortController();
    response.once('close', () => left.abort());
    this.#running++;
    this.#context.counters.captures++;
    try {
      const { agents, service } = selection;
      const asked = { kind, seconds, agents, program: service, signal: left.signal };
      const profile = await capture(this.#context, asked);
      if (profile === null) return;
      sendFile(response, name, await compress(encodePprof(profile), { level: constants.Z_BEST_SPEED }));
    } finally {
      this.#running--;
    }
  }

  /** Arguments are never collected: the service's name stands for them. */
  #commandLine(response: ServerResponse, url: URL): void {
    const selection = this.#select(url);
    if (selection.agents === null) sendPprofFault(response, selection.fault.status, selection.fault.text);
    else sendText(response, 200, selection.service);
  }

  #select(url: URL): ReturnType<typeof selectAgents> {
    const { searchParams } = url;
    const live = this.#context.agents.live();
    return selectAgents(live, searchParams.get('service') ?? '', searchParams.get('instance') ?? '');
  }

  #index(): string {
    const rows = this.#context.agents.live().map(({ instance }) => {
      const query = `service=${encodeURIComponent(instance.service)}&instance=${encodeURIComponent(instance.instance)}`;
      const links = ['profile', 'wall'].map(
        (name) => `<a href="${name}?seconds=5&amp;${escapeHtml(query)}">${name}</a>`,
      );
      return `<tr><td>${escapeHtml(instance.service)}<td>${escapeHtml(instance.instance)}<td>${links.join(' ')}\n`;
    });
    return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>/debug/pprof/</title></head><body>
<h1>/debug/pprof/</h1>
<p>Take a profile with <code>go tool pprof 'http://host:port/debug/pprof/profile?service=NAME&amp;seconds=5'</code></p>
<table><thead><tr><th>service<th>instance<th>5 seconds of</thead>
${rows.length > 0 ? rows.join('') : '<tr><td colspan="3">no agent is connected\n'}</table>
<p>Profile descriptions:</p>
<ul>
<li><b>profile</b>: CPU profile: where JavaScript, the garbage collector and native code spend CPU time. <code>seconds</code> gives the duration, 30 by default.</li>
<li><b>wall</b>: wall-clock profile: all time, waiting included.</li>
<li><b>cmdline</b>: the name of the service; arguments are never collected.</li>
<li><b>symbol</b>: says that symbols come with the profiles.</li>
</ul></body></html>
`;
  }
}

/** Go's rule: what is missing, no integer or not positive is the default. */
function secondsOf(given: string | null): number {
  if (given === null || !/^[+-]?\d+$/.test(given)) return SECONDS_DEFAULT;
  const seconds = Number(given);
  return seconds > 0 ? seconds : SECONDS_DEFAULT;
}
