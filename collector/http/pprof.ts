/**
 * /debug/pprof/*, as Go programs have it, for `go tool pprof`. CPU and wall profiles are made here of the windows that
 * agents sent, all others by the agents when asked. Parameters beyond Go's choose among many programs: ?service= and
 * ?instance=.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { SERIES_ACTIVE_RESOURCES } from '../../agent/wire/async';
import type { Counters } from '../counters';
import { encodePprof } from '../profile/pprof';
import { pprofIndex } from '../profile/pprof-index';
import {
  isPprofFault,
  PPROF_TYPE,
  type PprofRequest,
  pprofFileName,
  readPprofRequest,
  refuseGoClient,
  TRACE_TYPE,
} from '../profile/pprof-request';
import type { ProfileKind } from '../profile/tick-profile';
import { type CaptureContext, capture } from '../query/capture';
import { collectFrom, isFault } from '../query/collected';
import { selectAgents } from '../query/selection';
import type { SeriesTotals } from '../query/series-totals';
import { sendFile, sendPage, sendPprofFault, sendPprofHead, sendText, sendTrace } from './answer';

export const PPROF_PATH = '/debug/pprof/';

/** A capture reads its windows when it is over: they must still be kept then, its first ones too. */
const READ_MILLIS = 30_000;
const CAPTURES_MAX = 64;
const TOO_MANY = `${CAPTURES_MAX} captures are running already, try again later`;

const compress = promisify(gzip);

/** retentionMillis: how long windows are kept. isProven: the request carries the token. */
export type PprofContext = CaptureContext & {
  series: Pick<SeriesTotals, 'gaugeOf'>;
  counters: Counters;
  retentionMillis: number;
  isProven: (request: IncomingMessage) => boolean;
};

export class PprofRoutes {
  #context: PprofContext;
  #running = 0;

  constructor(context: PprofContext) {
    this.#context = context;
  }

  /** Profiles that are being made now. */
  get running(): number {
    return this.#running;
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const name = url.pathname.slice(PPROF_PATH.length);
    if (name === '') return sendPage(response, this.#index(request.headers.host ?? ''));
    if (name === 'cmdline') return this.#commandLine(response, url);
    // One symbol known: profiles carry their names, so nobody has to ask for an address.
    if (name === 'symbol') return sendText(response, 200, 'num_symbols: 1\n');
    const asked = readPprofRequest(name, url.searchParams);
    if (isPprofFault(asked)) return sendPprofFault(response, asked.status, asked.text);
    const refused = refuseGoClient(name, request.headers['user-agent']);
    if (refused !== null) return sendPprofFault(response, refused.status, refused.text);
    if (name === 'profile' || name === 'wall')
      return this.#profile(name === 'wall' ? 'wall' : 'cpu', asked, request, response, url);
    return this.#named(asked, request, response, url);
  }

  /** What the agents make themselves. */
  async #named(
    asked: PprofRequest,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<void> {
    const selection = this.#select(url);
    if (selection.agents === null)
      return sendPprofFault(response, selection.fault.status, selection.fault.text);
    const fileName = pprofFileName(asked);
    if (request.method === 'HEAD') return sendPprofHead(response, asked);
    if (this.#running >= CAPTURES_MAX) return sendPprofFault(response, 503, TOO_MANY);
    const signal = goneSignal(response);
    this.#running++;
    this.#context.counters.captures++;
    try {
      const answer = await collectFrom(selection.agents, asked, this.#context.isProven(request), signal);
      if (signal.aborted) return;
      if (isFault(answer)) return sendPprofFault(response, answer.status, answer.text);
      if (answer.mediaType === PPROF_TYPE) return sendFile(response, fileName, answer.bytes);
      if (answer.mediaType === TRACE_TYPE) return await sendTrace(request, response, fileName, answer.bytes);
      sendText(response, 200, Buffer.from(answer.bytes).toString('utf8'), answer.mediaType);
    } finally {
      this.#running--;
    }
  }

  async #profile(
    kind: ProfileKind,
    asked: PprofRequest,
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<void> {
    const { name, seconds } = asked;
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
    if (request.method === 'HEAD') return sendPprofHead(response, asked);
    if (this.#running >= CAPTURES_MAX) return sendPprofFault(response, 503, TOO_MANY);
    const signal = goneSignal(response);
    this.#running++;
    this.#context.counters.captures++;
    try {
      const { agents, service } = selection;
      const wanted = { kind, seconds, agents, program: service, signal };
      const profile = await capture(this.#context, wanted);
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

  #index(host: string): string {
    const { agents, series } = this.#context;
    const rows = agents.live().map(({ instance: { service, instance, agentId } }) => {
      const query = `service=${encodeURIComponent(service)}&instance=${encodeURIComponent(instance)}`;
      const pending = series.gaugeOf(agentId, SERIES_ACTIVE_RESOURCES);
      return { service, instance, query, counts: pending === null ? {} : { goroutine: pending } };
    });
    return pprofIndex(rows, host);
  }
}

/** Aborted when the client leaves before it has its answer. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}
